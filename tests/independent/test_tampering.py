"""Whatever is changed, the reader fails: so that its success means something."""

import random
import sqlite3

import pytest
from reader import backup
from reader.encoding import decode, encode
from reader.header import HEADER
from reader.refused import Refused


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << at % 8
    path.write_bytes(data)


def places(path, count):
    """Bytes to flip: the first, the last, and others all over the file, the same ones at every run."""
    size = path.stat().st_size
    chosen = random.Random(path.name if path.name == "header" else "database")
    return sorted({0, size - 1, *(chosen.randrange(size) for _ in range(count))})


def test_every_changed_byte_of_the_header_is_noticed(copy, open_vault):
    header = copy / "header"
    whole = header.read_bytes()
    for at in places(header, 40):
        flip(header, at)
        with pytest.raises(Refused):
            open_vault(copy)
        header.write_bytes(whole)
    open_vault(copy)


def test_a_header_that_means_the_same_in_other_bytes_is_refused(copy, open_vault):
    header = copy / "header"
    whole = header.read_bytes()
    assert encode(decode(whole, HEADER)) == whole
    longer = {
        "a byte behind": whole + b"\x00",
        "a length in more bytes": b"\x98" + bytes([whole[0] & 31]) + whole[1:],
        "an indefinite length": b"\x9f" + whole[1:] + b"\xff",
    }
    for how, data in longer.items():
        header.write_bytes(data)
        with pytest.raises(Refused):
            open_vault(copy)
            pytest.fail(how)


@pytest.mark.parametrize("which", ["directory", "tenant"])
def test_every_changed_byte_of_an_encrypted_database_is_noticed(copy, open_vault, which):
    path = copy / "directory.db" if which == "directory" else next((copy / "tenants").glob("*.db"))
    whole = path.read_bytes()
    for at in places(path, 10):
        flip(path, at)
        with pytest.raises(Refused):
            open_vault(copy)
        path.write_bytes(whole)
    open_vault(copy)


def test_tenant_files_that_change_places_are_noticed(copy, open_vault):
    one, other = sorted((copy / "tenants").glob("*.db"))
    one_data, other_data = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_data)
    other.write_bytes(one_data)
    with pytest.raises(Refused):
        open_vault(copy)


def test_every_changed_byte_of_an_attachment_is_noticed(copy, open_vault):
    path = max((copy / "files").glob("*/*"), key=lambda file: file.stat().st_size)
    whole = path.read_bytes()
    for at in [0, 20, 40, 151, 152, *places(path, 10)]:
        flip(path, at)
        with pytest.raises(Refused):
            open_vault(copy)
        path.write_bytes(whole)
    for data in (whole[:-1], whole[: -65552], whole + b"\x00", b""):
        path.write_bytes(data)
        with pytest.raises(Refused):
            open_vault(copy)
    path.unlink()
    with pytest.raises(Refused):
        open_vault(copy)


def test_attachments_that_change_places_are_noticed(copy, open_vault):
    one, other = sorted((copy / "files").glob("*/*"))
    one_data, other_data = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_data)
    other.write_bytes(one_data)
    with pytest.raises(Refused):
        open_vault(copy)


def change_log(folder, *statements):
    database = sqlite3.connect(folder / "audit.db", isolation_level=None)
    for statement in statements:
        assert database.execute(statement).rowcount != 0, f"{statement}: nothing was changed"
    database.close()


FLIPPED = "substr({0}, 1, 1 + length({0}) / 2 - 1) || x'5a' || substr({0}, 1 + length({0}) / 2 + 1)"


@pytest.mark.parametrize(
    "column", ["leaf", "mac", "sealed", "nodes", "tag"], ids=lambda column: f"column {column} of an entry"
)
def test_every_changed_column_of_an_entry_is_noticed(copy, open_vault, column):
    newest = f"(SELECT max(idx) FROM entry WHERE length({column}) > 0)"
    value = FLIPPED.format(column)
    change_log(copy, f"UPDATE entry SET {column} = CAST({value} AS BLOB) WHERE idx = {newest}")
    with pytest.raises(Refused):
        open_vault(copy)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET number = number + 1 WHERE idx = 3",
        "UPDATE entry SET context = 0 WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE entry SET tag = NULL WHERE idx = (SELECT max(idx) FROM entry WHERE tag IS NOT NULL)",
        "UPDATE entry SET tag = zeroblob(16) WHERE idx = (SELECT max(idx) FROM entry WHERE tag IS NULL)",
        "DELETE FROM entry WHERE idx = 4",
        "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
        "UPDATE segment SET sealed_key = zeroblob(length(sealed_key))",
        "UPDATE segment SET root = zeroblob(32)",
        "UPDATE context SET header = zeroblob(length(header)) WHERE first = 0",
        "UPDATE checkpoint SET note = replace(note, 'coffer.log', 'coffer.lag')",
        "UPDATE checkpoint SET size = size + 1000",
        "UPDATE log SET vault = zeroblob(16)",
    ],
)
def test_every_change_of_the_log_is_noticed(copy, open_vault, change):
    change_log(copy, change)
    with pytest.raises(Refused):
        open_vault(copy)


def test_entries_that_change_places_are_noticed(copy, open_vault):
    change_log(
        copy,
        "UPDATE entry SET idx = -1 WHERE idx = 3",
        "UPDATE entry SET idx = 3 WHERE idx = 4",
        "UPDATE entry SET idx = 4 WHERE idx = -1",
    )
    with pytest.raises(Refused):
        open_vault(copy)


def test_an_end_cut_off_with_its_checkpoints_is_noticed_by_the_logs_state(copy, open_vault):
    """And, where the state was cut off as well, by the effects of what is missing."""
    change_log(
        copy,
        "DELETE FROM checkpoint WHERE size > 5",
        "DELETE FROM entry WHERE idx > 4",
        "DELETE FROM context WHERE first > 4",
    )
    with pytest.raises(Refused, match="state"):
        open_vault(copy)
    (copy / "log.state").unlink()
    with pytest.raises(Refused, match="effects"):
        open_vault(copy)


def test_a_changed_byte_of_a_backup_is_noticed(made, tmp_path):
    damaged = tmp_path / "damaged.age"
    whole = made.backup_unlocked.read_bytes()
    for number, at in enumerate((0, 200, len(whole) // 2, len(whole) - 1)):
        damaged.write_bytes(whole)
        flip(damaged, at)
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.raises(Refused):
            backup.unpack(damaged, made.age_identity, folder)


def test_a_backup_whose_files_are_not_those_of_its_manifest_is_refused(made, tmp_path):
    backup.unpack(made.backup_unlocked, made.age_identity, tmp_path)
    backup.read_manifest(tmp_path)
    (tmp_path / "notes.txt").write_text("one more")
    with pytest.raises(Refused):
        backup.read_manifest(tmp_path)
    (tmp_path / "notes.txt").unlink()
    flip(tmp_path / "header", 100)
    with pytest.raises(Refused):
        backup.read_manifest(tmp_path)


def test_a_manifest_signed_by_somebody_else_is_refused(made, open_vault, tmp_path):
    backup.unpack(made.backup_unlocked, made.age_identity, tmp_path)
    vault, _, _ = open_vault(made.folder)
    note, manifest = backup.read_manifest(tmp_path)
    backup.authenticate(note, manifest, vault.membership)
    vault.membership.devices.clear()
    with pytest.raises(Refused):
        backup.authenticate(note, manifest, vault.membership)
