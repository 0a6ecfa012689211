"""A tenant's database (docs/FORMAT.md §5.2, §5.3)."""

from dataclasses import dataclass

from . import attachment
from .crypto import expand, info, sha256, u64
from .directory import open_encrypted
from .encoding import TEXT, UNSIGNED, decode
from .refused import require

TYPES = {
    1: "text", 2: "secret", 3: "multiline", 4: "email", 5: "phone", 6: "url", 7: "date", 8: "number",
    9: "totp", 10: "choice", 11: "reference", 12: "expiry",
}
# kind, title, fields (number, type, name, value), number of the next new field, tags, notes
BODY = {0: TEXT, 1: TEXT, 2: [(UNSIGNED, UNSIGNED, TEXT, TEXT)], 3: UNSIGNED, 4: [TEXT], 5: TEXT}


@dataclass
class Field:
    number: int
    type: str
    name: str
    value: str


@dataclass
class Version:
    kind: str
    title: str
    fields: list
    tags: list
    notes: str
    number: int  # from 1; gaps are what was erased
    made_ms: int | None  # when it was made, if not here
    changed_ms: int
    account: bytes
    entry: int  # the log entry that came before


class TenantDatabase:
    def __init__(self, path, key, vault, tenant, epoch):
        scope = (vault, tenant, u64(epoch))
        self._files = attachment.Files(path.parent.parent / "files" / path.stem, key, scope)
        self.tag_key = expand(key, info("tag-key", *scope), 32)
        self._database = open_encrypted(path, expand(key, info("tenant-database-key", *scope), 48))
        owner = self._database.execute("SELECT vault, tenant, epoch FROM meta").fetchall()
        require(owner == [(vault, tenant, epoch)], "the database of another tenant")

    def records(self):
        """Every version of every record, oldest first, by the record's key."""
        listed = {}
        row_of = {}
        trashed = 0
        query = "SELECT id, key, trashed_ms, title, kind, version, created_ms, changed_ms FROM record"
        for row, key, trashed_ms, *shown in self._database.execute(query):
            listed[key] = shown
            row_of[row] = key
            trashed += trashed_ms is not None
        versions = {key: [] for key in listed}
        query = """SELECT v.record, v.body, v.version, v.made_ms, c.at_ms, c.account, c.entry
                   FROM version v LEFT JOIN change c ON c.id = v.change ORDER BY v.record, v.version"""
        for row, body, number, made_ms, *change in self._database.execute(query):
            require(row in row_of and None not in change, "a version without its record or its change")
            require(number >= 1, "versions are counted from 1")
            versions[row_of[row]].append(_parse(body, number, made_ms, *change))
        for key, (title, kind, newest, created_ms, changed_ms) in listed.items():
            history = versions[key]
            require(history and history[-1].number == newest, "a record lacks its newest version")
            first, last = history[0], history[-1]
            agrees = (title, kind) == (last.title, last.kind) and changed_ms in (last.changed_ms, last.made_ms)
            # What was erased, or made elsewhere, began at another time.
            begins_here = first.number == 1 and first.made_ms is None
            agrees = agrees and (created_ms == first.changed_ms or not begins_here)
            require(agrees, "a list shows what its record does not hold")
        days = {
            (field.value, row, field.number, field.name)
            for row, key in row_of.items()
            for field in versions[key][-1].fields
            if field.type == "expiry" and field.value
        }
        listed_days = self._database.execute("SELECT day, record, field, name FROM expiry").fetchall()
        require(set(listed_days) == days and len(listed_days) == len(days), "reminders that their records do not make")
        counts = self._database.execute("SELECT records, trashed FROM meta").fetchone()
        require(counts == (len(listed) - trashed, trashed), "the number of records is wrong")
        moved = self._database.execute("SELECT 1 FROM moved m LEFT JOIN change c ON c.id = m.change WHERE c.id IS NULL")
        require(moved.fetchone() is None, "a record was moved by no write")
        return versions

    def exposures(self):
        """Who took which secret from behind its mask: key, field, version, how."""
        rows = self._database.execute(
            "SELECT r.key, e.field, e.version, e.how FROM exposure e LEFT JOIN record r ON r.id = e.record"
        ).fetchall()
        require(all(key is not None and how in (1, 2, 3) for key, _, _, how in rows), "an exposure of no record")
        return rows

    def entries_seen(self, account):
        """Entries under which an account took secrets from behind their mask; those of deleted ones, with what deleted them."""
        rows = {}
        for entry, key, field, version, how in self._database.execute(
            "SELECT c.entry, r.key, e.field, e.version, e.how FROM change c JOIN exposure e ON e.change = c.id"
            " JOIN record r ON r.id = e.record WHERE c.account = ?",
            (account,),
        ):
            row = key + field.to_bytes(2, "big") + version.to_bytes(4, "big") + how.to_bytes(1, "big")
            rows.setdefault(entry, []).append(row)
        for entry, scope in self._database.execute(
            "SELECT c.entry, e.scope FROM change c JOIN export e ON e.change = c.id WHERE c.account = ?", (account,)
        ):
            rows.setdefault(entry, []).append(scope.to_bytes(1, "big"))
        kept = [[entry, sha256(b"".join(sorted(rows[entry])))[:16]] for entry in sorted(rows)]
        gone = self._database.execute(
            "SELECT c.entry, g.entry FROM exposure_gone e JOIN change c ON c.id = e.change JOIN change g ON g.id = e.gone"
            " WHERE c.account = ? ORDER BY c.entry, g.entry",
            (account,),
        )
        return kept, [list(pair) for pair in gone]

    def attachments(self):
        """By the record's key, for each of its versions from the first: content by name."""
        files = {}
        for row, name, header, length, digest in self._database.execute(
            "SELECT id, name, header, bytes, digest FROM file"
        ):
            files[row] = self._files.read(name, header, length, digest)
        versions = {}
        for row, key, newest in self._database.execute("SELECT id, key, version FROM record"):
            versions[key] = [{} for _ in range(newest)]
            query = """SELECT a.number, a.name, a.media, a.file, a.attached, d.version
                       FROM attachment a LEFT JOIN detachment d ON d.attachment = a.id
                       WHERE a.record = ? ORDER BY a.number"""
            numbers = []
            for number, name, media, file, attached, detached in self._database.execute(query, (row,)):
                require(file in files and 1 <= attached <= newest, "an attachment without its file or its version")
                require(detached is None or attached < detached <= newest, "detached before it was attached")
                require(media == attachment.media(files[file]), "an attachment of another kind than it says")
                attachment.check_name(name)
                numbers.append(number)
                for version in range(attached, (detached or newest + 1)):
                    present = versions[key][version - 1]
                    require(name not in present, "two attachments of one name")
                    present[name] = files[file]
            require(numbers == sorted(set(numbers)) and (not numbers or numbers[0] >= 1), "numbers of attachments")
            require(all(len(present) <= 200 for present in versions[key]), "too many attachments")
        return versions

    def applied(self):
        """Entries of the log whose effect is here."""
        return {entry for (entry,) in self._database.execute("SELECT entry FROM change")}

    def settled(self):
        """Entries of the log whose effect never came."""
        return {entry for (entry,) in self._database.execute("SELECT entry FROM settled")}


def _parse(body, number, made_ms, changed_ms, account, entry):
    members = decode(body, BODY)
    fields = []
    for place, code, name, value in members[2]:
        require(1 <= place < members[3] and code in TYPES, "no field")
        fields.append(Field(place, TYPES[code], name, value))
    return Version(members[0], members[1], fields, members[4], members[5], number, made_ms, changed_ms, account, entry)
