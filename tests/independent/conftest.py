"""A vault made by the real program, for a reader that shares no code with it."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from reader.vault import Vault

LOGIN = "ines"
PASSPHRASE = "quiet lanterns over the harbour 58"

# What is put in: by tenant, by record, the versions; and a CSV file with every kind of quoting.
GATEWAY = {
    "kind": "login",
    "title": "VPN-Gateway Zürich",
    "fields": [
        ("User", "text", "svc-backup"),
        ("Password", "secret", "tröt & 'quote' \"q\" \\ 漢字 🦊"),
        ("Recovery", "multiline", "one\ntwo\n\nfour"),
        ("Mail", "email", "noc@example.org"),
        ("Desk", "phone", "+41 44 123 45 67"),
        ("Console", "url", "https://gw.example.org/login?a=b&c=d"),
        ("Since", "date", "2024-02-29"),
        ("Seats", "number", "-12.50"),
        ("Code", "totp", "otpauth://totp/gw?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=8"),
        ("Place", "choice", "Zürich"),
        ("Lease", "expiry", "2027-02-28"),
    ],
    "tags": ["netz", "vpn", "zürich"],
    "notes": "Invented.\nSecond line.",
}
DOOR = """kind = "door_code"
name = "Türcode"
[[field]]
name = "Ort"
type = "choice"
options = ["Keller", { word = "test" }]
[[field]]
word = "pin"
type = "secret"
role = "secret"
"""
CSV = (
    "Name,Username,Password,Notes\r\n"
    + "".join(f"Server {n},admin{n},pw-{n}-ü,note {n}\r\n" for n in range(37))
    + '"Quoted, ""title""",u,"p\nq",\r\n'
)


# Attached to the record: one of several chunks, and one that is taken off again.
FLOOR_PLAN = b"\x89PNG\r\n\x1a\n" + bytes(n * n % 251 for n in range(200_000))
CHECKLIST = "1. Schlüssel\n2. Fenster\n".encode()


@dataclass
class Made:
    folder: Path
    kit: Path
    age_identity: Path
    backup_unlocked: Path
    backup_locked: Path
    restored: Path
    record: str  # the changed record's identifier
    log: list  # the log, as the program itself exports it


class Coffer:
    """The program on its command line, with a home of its own and no keyring."""

    def __init__(self, home):
        target = os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/coffer/target")
        self.program = os.environ.get("COFFER", Path(target) / "debug/coffer")
        self.passphrase = home / "passphrase"
        self.passphrase.write_text(PASSPHRASE + "\n")
        # A bus that is not there: the device key goes to a file in this home.
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/no-bus",
        }

    def __call__(self, *arguments, expect=0, passphrase=None, **options):
        command = [self.program, "--json", "--passphrase-file", passphrase or self.passphrase, *map(str, arguments)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, **options)
        assert done.returncode == expect, f"{arguments}: {done.stdout}{done.stderr}"
        return list(_json_values(done.stdout))


def _json_values(text):
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("coffer")
    coffer = Coffer(home)
    folder, kit = home / "clients.coffer", home / "kit.txt"
    in_vault = ("--vault", folder)
    as_ines = (*in_vault, "--login", LOGIN)
    coffer(*as_ines, "vault", "create", "--kit", kit)

    # Values with line breaks come from files, since the shell takes one command a line.
    fields = []
    for number, (name, kind, value) in enumerate(GATEWAY["fields"]):
        file = home / f"value-{number}"
        file.write_text(value, encoding="utf-8")
        fields += ["--field-file", _quoted(f"{name}:{kind}={file}")]
    tags = [f"--tag {tag}" for tag in GATEWAY["tags"]]
    (home / "servers.csv").write_text(CSV, encoding="utf-8", newline="")
    (home / "door.toml").write_text(DOOR, encoding="utf-8")
    (home / "notes").write_text(GATEWAY["notes"], encoding="utf-8")
    first = coffer(
        *as_ines,
        "shell",
        input="\n".join(
            [
                "tenant create 'ACME GmbH'",
                "tenant create 'Bauer & Söhne'",
                " ".join(["record add --tenant 'ACME GmbH' --kind login --title", GATEWAY["title"].join("''"), *fields]),
                f"import {home}/servers.csv --tenant 'Bauer & Söhne'",
                f"kind add {home}/door.toml",
            ]
        ),
    )
    record = first[2]["id"]

    # Notes of several lines and a second version, in a session of their own; then a backup while the vault is in use.
    coffer(*as_ines, "record", "edit", record, "--notes", GATEWAY["notes"], *" ".join(tags).split())
    backup_unlocked, backup_locked = home / "unlocked.age", home / "locked.age"
    coffer(
        *as_ines,
        "shell",
        input=f"record show {record} --reveal Password\nrecord code {record} Code\nrecord expiring\n"
        f"record health --tenant 'ACME GmbH'\nsearch zurich\nbackup export {backup_unlocked}\n",
    )

    (home / "floor plan.png").write_bytes(FLOOR_PLAN)
    (home / "checklist.txt").write_bytes(CHECKLIST)
    coffer(*as_ines, "file", "attach", record, home / "floor plan.png", home / "checklist.txt")
    coffer(*as_ines, "file", "detach", record, "checklist.txt")

    wrong = home / "wrong"
    wrong.write_text("not the passphrase at all 1\n")
    for _ in range(2):
        coffer(*as_ines, "tenant", "list", expect=1, passphrase=wrong)
    coffer(*in_vault, "backup", "export", backup_locked)
    coffer(*as_ines, "log", "export", home / "log.jsonl")
    log = [json.loads(line) for line in (home / "log.jsonl").read_text(encoding="utf-8").splitlines()]

    restored = home / "restored.coffer"
    coffer("backup", "restore", backup_locked, "--kit", kit, "--to", restored)
    identity = [line for line in kit.read_text(encoding="utf-8").split("\n") if line.startswith("AGE-SECRET-KEY-")]
    age_identity = home / "identity.txt"
    age_identity.write_text(identity[0] + "\n")
    return Made(folder, kit, age_identity, backup_unlocked, backup_locked, restored, record, log)


@pytest.fixture(scope="session")
def open_vault(made, tmp_path_factory):
    """Opens a vault by the kit's text alone and reads everything in it."""
    kit_text = made.kit.read_text(encoding="utf-8")

    def opened(folder):
        vault = Vault(folder, kit_text, tmp_path_factory.mktemp("scratch"))
        log = vault.log()
        records = {name: database.records() for name, (_, database) in vault.tenants.items()}
        for _, database in vault.tenants.values():
            database.attachments()
        return vault, log, records

    # Else nothing would be shown by what is refused.
    opened(made.folder)
    return opened


@pytest.fixture
def copy(made, tmp_path):
    """The vault's folder, to be damaged."""
    return Path(shutil.copytree(made.folder, tmp_path / "vault"))
