"""Imports real files with `coffer` and holds what it answers against the same files as Python's csv module reads them.

usage: real_input.py keepassxc | there-and-back | contacts ROWS     (in a folder with the vault clients.coffer, COFFER naming the program)
"""

import csv
import json
import os
import random
import re
import shlex
import subprocess
import sys
import unicodedata
from collections import Counter
from xml.etree import ElementTree
from xml.sax.saxutils import escape

TENANT = "Bär & Söhne"


class Coffer:
    """One unlocked `coffer shell`: a command in, a line of JSON out."""

    def __init__(self):
        options = ["--vault", "clients.coffer", "--login", "ines", "--passphrase-file", "pw.txt", "--json"]
        pipe = subprocess.PIPE
        self.shell = subprocess.Popen([os.environ["COFFER"], *options, "shell"], stdin=pipe, stdout=pipe, text=True)

    def __call__(self, command):
        print(command, file=self.shell.stdin, flush=True)
        return json.loads(self.shell.stdout.readline())

    def records(self):
        """Every record of the tenant, opened page by page."""
        after = ""
        while True:
            page = self(f'record list --tenant "{TENANT}" --full --limit 1000 {after}')
            yield from page["records"]
            if page["next"] is None:
                return
            after = f"--after {page['next']}"

    def end(self):
        self.shell.stdin.close()
        assert self.shell.wait() == 0


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def fold(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).lower()


def agree(found, expected):
    """The same records, each as often."""
    found, expected = Counter(found), Counter(expected)
    assert found == expected, (list((expected - found).items())[:3], list((found - expected).items())[:3])


def contacts(rows):
    chance = random.Random(20261121)
    first = ["Jürgen", "Zoë", "Ines", "Øyvind", "Łukasz", "Márta", "Anaïs", "Otto", "Şebnem", "王芳"]
    last = ["Müller", "Groß", "O'Brien", "Ångström", "de la Peña", "Nguyễn", "Smith", "Čapek", "Bär; \"Söhne\"", "Li"]
    notes = ["", "", "one line", "two\nlines", "CR LF\r\ninside", 'says "hello", twice', "a;b;c", " kept spaces ", "=1+1", "emoji 🔐"]
    with open("contacts.csv", "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(["Nummer", "Vorname", "Nachname", "Firma", "E-Mail", "Telefon", "Straße", "Geburtstag", "Notizen"])
        for row in range(rows):
            name, family = chance.choice(first), chance.choice(last)
            mail = f"p{row}@example.org" if chance.random() < 0.9 else ""
            street = f"Straße des 17. Juni {chance.randrange(200)}, Hof {chance.randrange(9)}" if row % 3 else ""
            born = f"{chance.randrange(1930, 2009)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
            firm = chance.choice(["", "ACME GmbH", "Größe, Maß & Co", 'Haus "Zur Sonne"'])
            phone = f"+49 30 {row:07}"
            out.writerow([f"K{row:06}", name, family, firm, mail, phone, street, born, chance.choice(notes)])

    table = read("contacts.csv")
    assert len(table) == rows
    coffer = Coffer()
    coffer(f'tenant create "{TENANT}"')
    report = coffer(f'import contacts.csv --tenant "{TENANT}"')
    assert (report["imported"], report["rejected"]) == (rows, 0), report

    def expected(row):
        fields = {name: cell for name, cell in row.items() if cell and name != "Notizen"}
        title = f"{row['Vorname']} {row['Nachname']}"
        return title, "contact", row["Notizen"], frozenset(fields.items())

    ids, found = {}, []
    for record in coffer.records():
        fields = {field["name"]: field["value"] for field in record["fields"]}
        ids[fields["Nummer"]] = record["id"]
        found.append((record["title"], record["kind"], record["notes"], frozenset(fields.items())))
        assert record["tags"] == [] and record["version"] == 1
    agree(found, map(expected, table))
    assert len(ids) == rows

    # Ways in which people look for one among so many: without accents, by a beginning, by the telephone.
    for row in chance.sample(table, 12):
        number, family = row["Nummer"], fold(row["Nachname"].split(";")[0]).replace("ł", "l").replace("ø", "o").split()[-1]
        phone = row["Telefon"].split()[-1]
        for query in [number, number.lower(), f"{number} {family[:3]}", f"{family} {number[:7]}", phone, row["Telefon"]]:
            hits = coffer(f"search {shlex.quote(query)}")["hits"]
            # Other numbers may have the same digits inside; where they are the whole word comes first.
            assert hits[0]["id"] == ids[number] and (len(hits) == 1 or query == phone), (query, row, hits)
    assert coffer("log verify")["ok"]
    coffer.end()


ENTRIES = [
    ("Root/Bär & Söhne", "Postgres «prod»", "svc_app", "p<&>\"w;1", "https://db.example.org/?a=1&b=2", "one\ntwo \"quoted\"\n"),
    ("Root/Bär & Söhne/Büro", "Türschloß", "", "4711", "", "Übergabe; am Montag, 8 Uhr"),
    ("Root", "Same title", "otto", "a", "", ""),
    ("Root", "Same title", "otto", "b", "", ""),
    ("Root/Empty", "Nothing else", "", "", "", ""),
]


def keepassxc():
    tree = {}
    for group, *entry in ENTRIES:
        level = tree
        for name in group.split("/"):
            level = level.setdefault(name, {})
        level.setdefault(None, []).append(entry)

    def group(name, level):
        text = f"<Group><Name>{escape(name)}</Name>"
        for entry in level.get(None, []):
            pairs = zip(["Title", "UserName", "Password", "URL", "Notes"], entry)
            strings = "".join(f"<String><Key>{key}</Key><Value>{escape(value)}</Value></String>" for key, value in pairs)
            text += f"<Entry>{strings}</Entry>"
        return text + "".join(group(*below) for below in level.items() if below[0]) + "</Group>"

    root = "".join(group(*top) for top in tree.items())
    with open("made.xml", "w", encoding="utf-8") as file:
        file.write(f'<?xml version="1.0" encoding="UTF-8"?><KeePassFile><Meta/><Root>{root}</Root></KeePassFile>')
    command = ["keepassxc-cli", "import", "--set-password", "made.xml", "made.kdbx"]
    subprocess.run(command, input=b"secret\nsecret\n", check=True, capture_output=True)
    export = subprocess.run(
        ["keepassxc-cli", "export", "--format", "csv", "made.kdbx"], input=b"secret\n", check=True, capture_output=True
    )
    with open("keepassxc.csv", "wb") as file:
        file.write(export.stdout)

    table = read("keepassxc.csv")
    exported = [tuple(row[name] for name in ["Group", "Title", "Username", "Password", "URL", "Notes"]) for row in table]
    agree(exported, ENTRIES)
    coffer = Coffer()
    coffer(f'tenant create "{TENANT}"')
    report = coffer(f'import keepassxc.csv --tenant "{TENANT}"')
    assert (report["imported"], report["rejected"]) == (len(table), 0), report

    found = []
    for record in coffer.records():
        secrets = [field["name"] for field in record["fields"] if field["field_type"] == "secret"]
        assert all(field["value"] is None for field in record["fields"] if field["name"] in secrets)
        reveal = " ".join(f'--reveal "{name}"' for name in secrets)
        shown = coffer(f"record show {record['id']} {reveal}")
        fields = frozenset((field["name"], field["value"]) for field in shown["fields"])
        found.append((shown["title"], shown["kind"], tuple(shown["tags"]), shown["notes"], fields))

    def expected(row):
        fields = {name: cell for name, cell in row.items() if cell and name not in {"Title", "Group", "Notes", "Icon"}}
        return row["Title"], "login", (row["Group"],), row["Notes"], frozenset(fields.items())

    agree(found, map(expected, table))
    titles = [hit["title"] for hit in coffer("search turschloss")["hits"]]
    assert titles == ["Türschloß"], titles
    assert coffer("search 4711")["hits"] == [], "a password was found by searching"
    coffer.end()


FILES = {"plan <1>.txt": "north gate\n".encode(), "photo ü.bin": bytes(range(256)) * 700, "one byte": b"x"}
PASSWORD = b"secret lanterns over the harbour\n"


def kdbx(*arguments):
    return subprocess.run(["keepassxc-cli", *arguments], input=2 * PASSWORD, check=True, capture_output=True).stdout


def entries_of(database):
    """Every entry of a KDBX file as KeePassXC itself tells it: its strings, its tags and group, its files' bytes."""
    tree = ElementTree.fromstring(kdbx("export", "--format", "xml", database))
    for entry, path in in_groups(tree.find("Root/Group"), []):
        strings = {s.findtext("Key"): s.findtext("Value") or "" for s in entry.findall("String")}
        files = {}
        for name in [binary.findtext("Key") for binary in entry.findall("Binary")]:
            kdbx("attachment-export", database, "/".join([*path, strings["Title"]]), name, "out.bin")
            with open("out.bin", "rb") as file:
                files[name] = file.read()
            os.remove("out.bin")
        tags = {tag for tag in re.split("[;,]", entry.findtext("Tags") or "") if tag} | ({"/".join(path)} - {""})
        yield frozenset(strings.items()), frozenset(tags), frozenset(files.items())


def in_groups(group, path):
    for entry in group.findall("Entry"):
        yield entry, path
    for below in group.findall("Group"):
        yield from in_groups(below, [*path, below.findtext("Name")])


def there_and_back():
    kdbx("db-create", "--set-password", "old.kdbx")
    kdbx("mkdir", "old.kdbx", "Büro")
    for place, user, url in [("Büro/Türschloß", "otto <&>", "https://door.example/?a=1&b=2"), ("Webmail", "ines", "")]:
        kdbx("add", "--username", user, "--url", url, "--notes", "one & two", "-g", "-L", "24", "old.kdbx", place)
    for name, content in FILES.items():
        with open("in.bin", "wb") as file:
            file.write(content)
        kdbx("attachment-import", "old.kdbx", "Büro/Türschloß", name, "in.bin")
    kdbx("attachment-import", "old.kdbx", "Webmail", "same.txt", "in.bin")
    with open("old.txt", "wb") as file:
        file.write(PASSWORD)

    coffer = Coffer()
    coffer(f'tenant create "{TENANT}"')
    report = coffer(f'import old.kdbx --tenant "{TENANT}" --source-passphrase-file old.txt')
    assert (report["imported"], report["rejected"], report["attachments"]) == (2, 0, 4), report
    assert [loss for loss in report["losses"] if loss["what"] == "attachment"] == [], report
    written = coffer(f'export new.kdbx --tenant "{TENANT}" --format kdbx --export-passphrase-file old.txt')
    assert written["records"] == 2 and [loss for loss in written["losses"] if loss["what"] == "attachments"] == []
    coffer.end()
    agree(entries_of("new.kdbx"), entries_of("old.kdbx"))


if __name__ == "__main__":
    programs = {"keepassxc": keepassxc, "there-and-back": there_and_back}
    programs[sys.argv[1]]() if sys.argv[1] in programs else contacts(int(sys.argv[2]))
