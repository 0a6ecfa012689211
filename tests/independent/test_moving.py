"""A vault that was moved to another computer: the chain says from where, and that it goes on elsewhere."""

import shutil

import pytest
from conftest import LOGIN, Coffer
from reader.chain import TAKEN_BACK, TAKEN_UP, UNDER_WAY
from reader.vault import Vault


@pytest.fixture(scope="module")
def moved(made, tmp_path_factory):
    """Two computers: one has a copy of the vault, the other what that was moved to."""
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    old, new = here / "clients.coffer", there / "clients.coffer"
    shutil.copytree(made.folder, old)
    coffer, elsewhere = Coffer(here), Coffer(there)
    as_ines = ("--vault", old, "--login", LOGIN)
    coffer(*as_ines, "backup", "enrol")
    for name in ("first.age", "moved.age"):
        [backup] = coffer(*as_ines, "vault", "move", here / name)
        coffer(*as_ines, "tenant", "list", expect=1)
        if name == "first.age":
            coffer(*as_ines, "vault", "move", "--take-back")
    elsewhere("backup", "restore", here / "moved.age", "--kit", made.kit, "--to", new)
    elsewhere("--vault", new, "--login", LOGIN, "tenant", "list")
    return old, new, backup


def test_the_chain_of_either_copy_says_what_became_of_the_move(made, moved, tmp_path):
    old, new, _ = moved
    kit = made.kit.read_text(encoding="utf-8")
    retired, goes_on = (Vault(folder, kit, tmp_path / folder.parent.name).membership for folder in (old, new))
    first, device = retired.moves[0][0], retired.devices[-1]
    assert retired.moves == [(first, TAKEN_BACK), (device, UNDER_WAY)] and retired.moving == device
    assert goes_on.moves == [(first, TAKEN_BACK), (device, TAKEN_UP)] and goes_on.moving is None
    assert goes_on.devices[:-1] == retired.devices and goes_on.devices[-1] not in retired.devices
    # The one goes on from where the other ended.
    assert goes_on.heads[: len(retired.heads)] == retired.heads


def test_the_log_that_came_along_says_from_where(made, moved, tmp_path):
    _, new, backup = moved
    vault = Vault(new, made.kit.read_text(encoding="utf-8"), tmp_path / "copy")
    verbs = [entry["verb"] for entry in vault.log().entries]
    assert verbs.count("vault.moved") == 2 and verbs.count("vault.move_taken_back") == 1
    restored = verbs.index("backup.restored", verbs.index("vault.moved"))
    assert "vault.moved" in verbs[:restored] and "device.enrolled" in verbs[restored:]
    assert backup["chain_length"] <= len(vault.membership.heads)
