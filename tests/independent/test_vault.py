"""What the program wrote, another program reads."""

import csv
import io

import pytest
from conftest import CHECKLIST, CSV, FLOOR_PLAN, GATEWAY, LOGIN, PASSPHRASE
from reader import backup, kit
from reader.account import UnlockedAccount
from reader.encoding import id_bytes, id_text
from reader.log import file_root
from reader.refused import Refused


def content(version):
    fields = [(field.name, field.type, field.value) for field in version.fields]
    return {
        "kind": version.kind,
        "title": version.title,
        "fields": fields,
        "tags": version.tags,
        "notes": version.notes,
    }


def check_contents(made, vault, records):
    assert set(records) == {"ACME GmbH", "Bauer & Söhne"}
    tenant, key = map(id_bytes, made.record.split("."))
    assert vault.tenants["ACME GmbH"][0] == tenant
    before, after, *with_files = records["ACME GmbH"][key]
    assert content(before) == {**GATEWAY, "tags": [], "notes": ""}
    assert content(after) == GATEWAY
    assert before.entry < after.entry and before.changed_ms <= after.changed_ms
    assert with_files == [] or [content(version) for version in with_files] == [GATEWAY] * 3

    imported = [version for (version,) in records["Bauer & Söhne"].values()]
    found = {(v.title, *(field.value for field in v.fields), v.notes) for v in imported}
    rows = list(csv.reader(io.StringIO(CSV, newline="")))[1:]
    assert found == {tuple(row) for row in rows} and len(imported) == len(rows)
    assert all([field.type for field in v.fields] == ["text", "secret"] for v in imported)


def test_every_version_of_every_record_is_what_was_put_in(made, open_vault):
    vault, _, records = open_vault(made.folder)
    check_contents(made, vault, records)


def test_every_version_has_the_files_that_were_attached_by_then(made, open_vault):
    vault, _, _ = open_vault(made.folder)
    plan, checklist = {"floor plan.png": FLOOR_PLAN}, {"checklist.txt": CHECKLIST}
    attached = vault.tenants["ACME GmbH"][1].attachments()[id_bytes(made.record.split(".")[1])]
    assert attached == [{}, {}, plan, plan | checklist, plan]
    assert not any(any(files) for files in vault.tenants["Bauer & Söhne"][1].attachments().values())


def test_a_kind_of_the_vaults_own_is_what_its_file_said(made, open_vault):
    vault, _, _ = open_vault(made.folder)
    place = ["choice", [False, "Ort"], 0, [[False, "Keller"], [True, "test"]]]
    fields = [place, ["secret", [True, "pin"], 2, []]]
    assert vault.kinds == {"door_code": ("Türcode", fields)}


def test_the_log_says_what_was_done(made, open_vault):
    vault, log, _ = open_vault(made.folder)
    verbs = [entry["verb"] for entry in log.entries]
    assert verbs[:3] == ["vault.created", "account.created", "device.enrolled"]
    assert verbs.count("tenant.created") == 2 and verbs.count("vault.unlock_failed") == 2
    assert verbs.count("backup.exported") == 2 and verbs[-1] == "vault.locked"
    for verb in (
        "record.added records.imported record.changed field.revealed records.searched kind.set code.shown "
        "records.expiring_listed secrets.assessed attachment.added attachment.detached"
    ).split():
        assert verb in verbs
    failed = [entry for entry in log.entries if entry["verb"] == "vault.unlock_failed"]
    assert all("actor" not in entry and "session" not in entry for entry in failed)
    assert log.checkpoints[-1] == len(log.entries)


def test_the_log_is_the_one_the_program_shows(made, open_vault):
    vault, log, _ = open_vault(made.folder)
    logins = {account: known.login for account, known in vault.membership.accounts.items()}
    for index, shown in enumerate(made.log):
        entry = log.entries[index]
        tenant, record = entry.get("tenant"), entry.get("record")
        assert shown["index"] == index
        assert shown["action"] == entry["verb"]
        assert shown["actor"] == logins.get(entry.get("actor"))
        assert shown["tenant"] == (tenant and id_text(tenant))
        assert shown["record"] == (record and f"{id_text(tenant)}.{id_text(record)}")
        for name in ("field", "version", "count", "entry"):
            assert shown[name] == entry.get(name)
        for name in ("os_user", "host", "program"):
            assert shown[name] == entry[name]


def test_a_passphrase_opens_what_the_kit_opens(made, open_vault):
    vault, log, _ = open_vault(made.folder)
    account = UnlockedAccount(vault.header, LOGIN, PASSPHRASE)
    known = vault.membership.accounts[account.id]
    assert (account.sealing.public, account.signing) == (known.sealing, known.signing)
    vault.header.verify(account.directory_key)

    founding, length, head, costs, unlocked_ms, entries, root, failed, enrolment, second_factor, *rest = account.state
    assert rest == [None, None]
    heads = vault.membership.heads
    assert (founding, length, head) == (heads[0], len(heads), heads[-1])
    assert costs[0] >= 65_536 and costs[1] >= 3
    assert unlocked_ms == [entry["at"] for entry in log.entries if entry["verb"] == "vault.unlocked"][-1]
    assert (entries, root, failed) == (len(log.entries), log.root, 2)
    assert enrolment is None and second_factor is None
    assert vault.header.directory_root == file_root(made.folder / "directory.db")

    with pytest.raises(Refused):
        UnlockedAccount(vault.header, LOGIN, PASSPHRASE + " ")
    with pytest.raises(Refused):
        UnlockedAccount(vault.header, "somebody", PASSPHRASE)


@pytest.mark.parametrize("which", ["backup_unlocked", "backup_locked"])
def test_stock_age_and_tar_open_a_backup_that_is_a_whole_vault(made, open_vault, tmp_path, which):
    backup.unpack(getattr(made, which), made.age_identity, tmp_path)
    note, manifest = backup.read_manifest(tmp_path)
    vault, log, records = open_vault(tmp_path)
    backup.authenticate(note, manifest, vault.membership)
    assert (manifest.log_size, manifest.log_root) == (len(log.entries), log.root)
    assert not (tmp_path / "log.state").exists()
    check_contents(made, vault, records)


def test_a_receipt_in_the_chain_names_the_manifest_of_the_backup_made_unlocked(made, open_vault, tmp_path):
    backup.unpack(made.backup_unlocked, made.age_identity, tmp_path)
    note, manifest = backup.read_manifest(tmp_path)
    vault, _, _ = open_vault(made.folder)
    assert vault.directory.manifests()[manifest.counter] == note.encode()


def test_a_restored_vault_reads_and_its_log_goes_on_in_a_new_segment(made, open_vault, tmp_path):
    backup.unpack(made.backup_locked, made.age_identity, tmp_path)
    _, manifest = backup.read_manifest(tmp_path)
    vault, log, records = open_vault(made.restored)
    check_contents(made, vault, records)
    assert log.segments == [0, manifest.log_size]
    assert log.entries[manifest.log_size]["verb"] == "backup.restored"


def test_a_kit_is_refused_if_one_character_was_copied_wrongly(made):
    text = made.kit.read_text(encoding="utf-8")
    start = text.index("Recovery code") + len("Recovery code")
    end = text.index("To restore a backup")
    places = [at for at in range(start, end) if not text[at].isspace()]
    assert len(places) == 70
    for at in places:
        other = "B" if text[at] != "B" else "C"
        with pytest.raises(Refused):
            kit.parse_code(text[start:at] + other + text[at + 1 : end])
    assert kit.parse_code(text[start:end].lower()) == kit.Kit(text).seed
