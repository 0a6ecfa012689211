"""Whatever happened to a tenant — its trash, an erasure, a twin, an archive taken in — its file is as FORMAT.md says."""

import shutil

from conftest import LOGIN, Coffer
from reader.encoding import id_bytes

TENANT = "ACME GmbH"


def test_a_vault_with_trash_a_gap_a_twin_and_an_imported_archive_reads(made, open_vault, tmp_path):
    coffer, folder = Coffer(tmp_path), tmp_path / "vault"
    shutil.copytree(made.folder, folder)
    vault = ("--vault", folder, "--login", LOGIN)
    [note] = coffer(*vault, "record", "add", "--tenant", TENANT, "--kind", "note", "--title", "Anna", "--notes", "Berta Schmidt")
    said = ["nobody", "nobody at all"]
    lines = [f"record edit {note['id']} --notes '{notes}'" for notes in said] + [
        f"subject erase 'Berta Schmidt' --tenant '{TENANT}' --history-only --confirm '{TENANT}'",
        f"record trash {note['id']}",
        f"tenant twin '{TENANT}' Twin --seed 7",
        f"export {tmp_path}/acme.tar --tenant '{TENANT}' --format archive --confirm '{TENANT}'",
        "tenant create Copy",
        f"import {tmp_path}/acme.tar --tenant Copy",
    ]
    erased = coffer(*vault, "shell", input="\n".join(lines))[2]
    assert (erased["versions"], erased["remaining"]) == (1, 0)

    opened, _, records = open_vault(folder)
    key = id_bytes(note["id"].split(".")[1])
    for name in (TENANT, "Copy"):
        assert [version.notes for version in records[name][key]] == said
    counts = {name: sorted(len(versions) for versions in records[name].values()) for name in (TENANT, "Twin", "Copy")}
    assert counts["Twin"] == counts["Copy"] == counts[TENANT]
    held = opened.tenants[TENANT][1].attachments()
    gateway = id_bytes(made.record.split(".")[1])
    assert opened.tenants["Copy"][1].attachments()[gateway] == held[gateway]
