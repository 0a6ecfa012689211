"""Backups (docs/FORMAT.md §9.1) and their manifest (§7), with the stock tools `age` and `tar`."""

import re
import subprocess
from dataclasses import dataclass

from . import notes
from .crypto import sha256
from .encoding import id_bytes
from .refused import Refused, require

PATH = re.compile(
    r"header|backup\.plan|(directory|audit|tenants/[a-z0-9]{16,64})\.db(-wal)?|files/[0-9a-f]{32}/[0-9a-f]{32}"
)
FILE_LINE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]*) (\S+)")


@dataclass
class Manifest:
    vault: bytes
    counter: int
    chain_length: int
    chain_head: bytes
    log_size: int
    log_root: bytes
    files: dict  # digest and length by path


def unpack(file, identity_file, folder):
    """What a person without Coffer types: `age -d -i IDENTITY FILE | tar -x -C FOLDER`."""
    age = subprocess.Popen(["age", "-d", "-i", str(identity_file), str(file)], stdout=subprocess.PIPE)
    tar = subprocess.run(["tar", "-x", "-C", str(folder)], stdin=age.stdout, check=False)
    age.stdout.close()
    if age.wait() != 0 or tar.returncode != 0:
        raise Refused("age or tar refused the backup")


def parse_manifest(text):
    lines = text.split("\n")
    require(lines.pop() == "" and len(lines) >= 6 and lines[0] == "coffer.backup/v1", "no manifest")
    heads = {}
    for line, name in zip(lines[1:6], ("vault", "counter", "time", "chain", "log")):
        require(line.startswith(name + " "), "no manifest")
        heads[name] = line[len(name) + 1 :]
    require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heads["time"]), "no time")
    files = {}
    for line in lines[6:]:
        parts = FILE_LINE.fullmatch(line)
        require(parts and PATH.fullmatch(parts[3]), "not a file of a backup")
        require(not files or parts[3] > max(files), "files ascend by path")
        files[parts[3]] = (bytes.fromhex(parts[1]), int(parts[2]))
    require({"header", "directory.db", "audit.db"} <= set(files), "a file that every vault has is missing")
    require(all(path.removesuffix("-wal") in files for path in files), "a write-ahead log without its database")
    chain_length, chain_head = _number_and_hash(heads["chain"])
    log_size, log_root = _number_and_hash(heads["log"])
    counter = notes.parse_number(heads["counter"])
    return Manifest(id_bytes(heads["vault"]), counter, chain_length, chain_head, log_size, log_root, files)


def _number_and_hash(text):
    number, _, digest = text.partition(" ")
    require(re.fullmatch("[0-9a-f]{64}", digest), "no hash")
    return notes.parse_number(number), bytes.fromhex(digest)


def read_manifest(folder):
    """The manifest of an unpacked backup, its files compared with it; who signed it is looked at by `authenticate`."""
    note = (folder / "MANIFEST").read_text(encoding="utf-8")
    manifest = parse_manifest(notes.split(note)[0])
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    require(found == {*manifest.files, "MANIFEST"}, "files that the manifest does not name, or too few")
    for path, (digest, length) in manifest.files.items():
        data = (folder / path).read_bytes()
        require(len(data) == length and sha256(data) == digest, f"{path} is not the file of the manifest")
    return note, manifest


def authenticate(note, manifest, membership):
    """A device of the vault signed the manifest, at a point its chain has passed."""
    require(manifest.vault == membership.vault, "a backup of another vault")
    notes.open_note(note, [notes.device_signer(membership.vault, key) for key in membership.devices])
    head = membership.statement_hash(manifest.chain_length)
    require(head == manifest.chain_head, "a backup of another membership chain")
