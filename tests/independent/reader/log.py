"""The log (docs/FORMAT.md §6): contents, MACs, tree, checkpoints, and the log's state."""

import sqlite3
from dataclasses import dataclass

from . import notes
from .crypto import equal, expand, hmac_sha256, info, label, open_sealed_by_any, open_session_by_any, sha256, u64
from .encoding import INTEGER, TEXT, UNSIGNED, Exactly, decode_members, id_text
from .refused import Refused, require

# §6.1
MEMBERS = {
    1: ("at", INTEGER),
    2: ("verb", TEXT),
    3: ("actor", Exactly(16)),
    4: ("session", Exactly(16)),
    5: ("replica", Exactly(16)),
    6: ("os_user", TEXT),
    7: ("host", TEXT),
    8: ("program", TEXT),
    9: ("effect_tag", Exactly(16)),
    10: ("tenant", Exactly(16)),
    11: ("record", Exactly(16)),
    12: ("field", UNSIGNED),
    13: ("version", UNSIGNED),
    14: ("count", UNSIGNED),
    15: ("entry", UNSIGNED),
    16: ("account", Exactly(16)),
}
IN_EVERY_ENTRY = {1, 2, 5, 6, 7, 8}
BY_WHOM = {3, 4, 9}
WITH_OR_WITHOUT_TENANT = {"access.refused", "key.compromised", "search.saved", "search.renamed", "search.removed"}
WITH_OR_WITHOUT_RECORD = {"draft.kept", "draft.opened", "draft.discarded"}
ABOUT = {
    **dict.fromkeys(
        "vault.created vault.unlocked vault.unlock_failed vault.locked vault.older_accepted vault.moved vault.move_taken_back "
        "recovery_kit.confirmed device.enrolled log.verified files.checked kind.set kind.removed passphrase.changed "
        "personal_code.made kdf.raised "
        "second_factor.enrolled second_factor.removed spare_codes.made policy.set own_keys.renewed "
        "provider.pinned provider.unpinned lease.renewed "
        "cryptoperiods.set key_access.listed device_key.replaced directory.rekeyed audit_key.replaced "
        "office_key.replaced audit_key.corrected recovery.used recovery.renewed recovery.accepted "
        "recovery.keys_shared".split(),
        set(),
    ),
    **dict.fromkeys("tenant.created tenant.opened tenant.rekeyed glass.prepared file.altered".split(), {10}),
    **dict.fromkeys(
        "records.listed records.searched records.imported records.expiring_listed secrets.assessed exposures.listed tags.listed tag.renamed "
        "tag.removed tenant.exported_csv tenant.exported_kdbx tenant.exported_archive tenant.exported_encrypted_archive "
        "tenant.twinned subject.searched subject.exported subject.erased subject.history_erased".split(),
        {10, 14},
    ),
    **dict.fromkeys("twin.filled records.received".split(), {10, 14, 15}),
    **dict.fromkeys(
        "record.opened record.history_opened record.added record.favourite_set record.favourite_unset".split(), {10, 11}
    ),
    **dict.fromkeys("records.opened records.moved".split(), {10, 11, 14, 15}),
    **dict.fromkeys("record.changed record.version_restored".split(), {10, 11, 13}),
    **dict.fromkeys(
        "field.revealed field.copied code.shown code.copied attachment.added attachment.detached".split(),
        {10, 11, 12, 13},
    ),
    **dict.fromkeys("attachment.saved attachment.previewed".split(), {10, 11, 12}),
    **dict.fromkeys("records.trashed records.restored records.purged records.tagged records.sent".split(), {10, 11, 14}),
    "effect.missing": {10, 15},
    **dict.fromkeys(
        "vault.unlock_failures_counted spare_code.used backup.exported backup.receipt_filed backup.verified backup.restored "
        "backup.older_accepted log.read log.exported".split(),
        {14},
    ),
    "log.restarted": {15},
    **dict.fromkeys(
        "account.created account.invited invitation.withdrawn account.activated roles.set account.removed leaving.set "
        "account.federated account.unfederated offboarding.read exposures.checked action.seconded keys.shared".split(),
        {16},
    ),
    **dict.fromkeys("grant.given grant.withdrawn glass.broken exposure.reported".split(), {10, 16}),
}


def parse_entry(data):
    require(len(data) <= 1024, "an entry is too long")
    members = decode_members(data, {key: shape for key, (_, shape) in MEMBERS.items()})
    present = set(members)
    require(IN_EVERY_ENTRY <= present, "an entry lacks a member")
    about = present - IN_EVERY_ENTRY - BY_WHOM
    verb = members[2]
    expected = {
        **dict.fromkeys(WITH_OR_WITHOUT_TENANT, [set(), {10}]),
        **dict.fromkeys(WITH_OR_WITHOUT_RECORD, [{10}, {10, 11}]),
    }.get(verb, [ABOUT.get(verb)])
    require(about in expected, f"an entry {verb!r} with members that do not belong to it")
    return {MEMBERS[key][0]: value for key, value in members.items()}


# §6.4: RFC 6962 §2.1


def leaf_hash(leaf):
    return sha256(b"\x00", leaf)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


class Tree:
    """The right edge of a growing tree: the roots of its full subtrees, largest first."""

    def __init__(self):
        self._peaks = []  # height and hash

    def push(self, leaf):
        """Adds a leaf; gives the hashes of the subtrees it completes, the lowest first."""
        completed = []
        height, node = 0, leaf_hash(leaf)
        while self._peaks and self._peaks[-1][0] == height:
            node = node_hash(self._peaks.pop()[1], node)
            height += 1
            completed.append(node)
        self._peaks.append((height, node))
        return completed

    def root(self):
        if not self._peaks:
            return sha256(b"")
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def file_root(path):
    """Length of a file, and the root of the tree over its blocks of 64 KiB (§5.7)."""
    data, tree = path.read_bytes(), Tree()
    for start in range(0, len(data), 64 * 1024):
        tree.push(data[start : start + 64 * 1024])
    return len(data), tree.root()


@dataclass
class Log:
    entries: list
    root: bytes
    checkpoints: list  # sizes
    tags: list  # effect tag of each entry, or None
    segments: list  # index of the first entry of each


def read(folder, vault, audits, signers):
    """Verifies the whole log with the audit key pairs and gives its entries. `signers` may sign checkpoints."""
    database = sqlite3.connect(folder / "audit.db", isolation_level=None)
    try:
        require(database.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "audit.db is damaged")
        return _read(database, folder, vault, audits, signers)
    except sqlite3.DatabaseError as error:
        raise Refused("audit.db does not open") from error
    finally:
        database.close()


def _read(database, folder, vault, audits, signers):
    require(database.execute("PRAGMA user_version").fetchone() == (1,), "audit.db has another schema")
    require(database.execute("SELECT vault FROM log").fetchall() == [(vault,)], "the log of another vault")
    segments = {first: (root, key) for first, root, key in database.execute("SELECT * FROM segment ORDER BY first")}
    headers = dict(database.execute("SELECT first, header FROM context"))
    checkpoints = dict(database.execute("SELECT size, note FROM checkpoint"))
    require(0 in segments, "the log has no beginning")

    tree, sessions, entries, tags, roots = Tree(), {}, [], [], {}
    segment, keys = None, []  # of this segment: the MAC key of each entry, and of the next

    def begin_segment(first):
        root, sealed_key = segments[first]
        require(root == tree.root(), "a segment does not begin where the one before ends")
        return first, [open_sealed_by_any(audits, sealed_key, info("seal/log-mac-key", vault, u64(first)))]

    columns = "idx, leaf, nodes, context, number, tag, mac, sealed"
    for index, *row in database.execute(f"SELECT {columns} FROM entry ORDER BY idx"):
        leaf, nodes, context, number, tag, mac, sealed = row
        require(index == len(entries), "the log has a gap")
        if index in segments:
            segment, keys = begin_segment(index)
        require(segment <= context <= index and context in headers, "an entry without its context")
        if context not in sessions:
            session_info = info("seal/log-session", vault, u64(segment))
            sessions[context] = open_session_by_any(audits, headers[context], session_info)

        digest = sha256(u64(context), number.to_bytes(4, "big"), bytes([tag is not None]), tag or bytes(16), sealed)
        expected = hmac_sha256(keys[-1], label("log-mac"), u64(index), leaf, digest)
        require(equal(mac, expected), f"the MAC of entry {index} does not hold")
        keys.append(expand(keys[-1], label("log-step"), 32))

        block = sessions[context].open(number, sealed, u64(index))
        require(sha256(label("log-leaf"), block) == leaf, f"entry {index} is not what its leaf stands for")
        entry = parse_entry(block[32:])
        require(entry.get("effect_tag") == tag, f"entry {index} has another effect tag")
        require(b"".join(tree.push(leaf)) == nodes, f"the tree at entry {index} was altered")
        entries.append(entry)
        tags.append(tag)
        roots[index + 1] = tree.root()

    require(entries and max(segments) <= len(entries), "a segment begins after the end")
    if max(segments) == len(entries):
        # One that has no entry yet.
        segment, keys = begin_segment(len(entries))
    for size, note in checkpoints.items():
        check_checkpoint(note, vault, size, roots, signers)
    check_state(folder / "log.state", vault, segment, keys)
    return Log(entries, tree.root(), sorted(checkpoints), tags, sorted(segments))


# §6.5


def check_checkpoint(note, vault, size, roots, signers):
    lines = notes.open_note(note, signers).split("\n")
    require(len(lines) == 4 and lines[3] == "", "no checkpoint")
    require(lines[0] == f"coffer.log/{id_text(vault)}", "a checkpoint of another log")
    require(notes.parse_number(lines[1]) == size, "a checkpoint of another size")
    require(size in roots, "the log is shorter than one of its checkpoints")
    require(notes.decode_base64(lines[2]) == roots[size], f"the first {size} entries are not the ones signed")


# §6.8


def check_state(path, vault, segment, keys):
    """Compares the evolving key with the chain of `segment`. In a backup there is none."""
    if not path.exists():
        return
    data = path.read_bytes()
    require(len(data) == 8192, "no state of a log")
    slots = []
    for slot in (data[:88], data[4096 : 4096 + 88]):
        if slot[:8] == b"cofferK1" and sha256(vault, slot[:56]) == slot[56:]:
            slots.append((int.from_bytes(slot[8:16], "big"), int.from_bytes(slot[16:24], "big"), slot[24:56]))
    require(slots, "the log's state is lost")
    of_segment, index, key = max(slots)
    require(of_segment == segment, "the log's state is another segment's")
    behind = segment + len(keys) - 1 - index
    # A loss of power may leave it behind, by no more than the entries between two times it is forced to the disk.
    require(0 <= behind <= 200 and keys[index - segment] == key, "the log's state is not that of its last entries")
