"""Recovery that is split, and renewed: shares joined from FORMAT.md alone, and what they then open."""

import re
import shutil

import pytest
from conftest import LOGIN, Coffer
from reader.kit import Kit, Share, join
from reader.refused import Refused
from reader.vault import Vault


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """A vault of which recovery was split from the beginning, and renewed; the folder of shares before and after."""
    home = tmp_path_factory.mktemp("shares")
    coffer = Coffer(home)
    folder = home / "split.coffer"
    vault = ["--vault", folder, "--login", LOGIN]
    coffer(*vault, "vault", "create", "--shares", "3/5", "--kit", home / "first")
    coffer(*vault, "tenant", "create", "ACME GmbH")
    coffer(*vault, "record", "add", "--tenant", "ACME GmbH", "--kind", "note", "--title", "Gate", "--notes", "kept")
    before = home / "before.coffer"
    shutil.copytree(folder, before)
    coffer(*vault, "key", "renew-recovery", "--shares", "2/3", "--kit", home / "second")
    coffer(*vault, "tenant", "create", "Bauer")
    return home, before, folder


def pages(folder):
    return [path.read_text() for path in sorted(folder.iterdir())]


def test_any_three_of_five_shares_open_the_vault(split, tmp_path):
    home, before, _ = split
    five = pages(home / "first")
    assert len(five) == 5
    whole = Kit.of_shares(five)
    for chosen in ((0, 1, 2), (4, 2, 0), (1, 3, 4)):
        assert Kit.of_shares([five[index] for index in chosen]).seed == whole.seed
    kit = Kit.of_shares(five[1:4])
    vault = Vault(before, kit, tmp_path)
    assert set(vault.tenants) == {"ACME GmbH"}
    needed, digests = vault.membership.recovery[3]
    assert (needed, digests) == (3, [Share(page).digest(vault.id) for page in five])


def test_fewer_or_altered_shares_come_to_nothing(split):
    home, _, _ = split
    five = pages(home / "first")
    with pytest.raises(Refused, match="too few"):
        Kit.of_shares([five[0], five[4], five[0]])
    shares = [Share(page) for page in five[:3]]
    shares[1].value = bytes(32)
    assert join(shares) != Kit.of_shares(five).seed
    code = re.search(r"Share code\n\n +(\S{5}) (\S{5})", five[0])
    with pytest.raises(Refused, match="not copied exactly"):
        Share(five[0].replace(code[2], code[2][1:] + code[2][0], 1))


def test_a_renewed_recovery_opens_the_vault_of_today_and_the_one_before_does_not(split, tmp_path):
    home, _, folder = split
    vault = Vault(folder, Kit.of_shares(pages(home / "second")[1:]), tmp_path / "new")
    assert set(vault.tenants) == {"ACME GmbH", "Bauer"}
    assert len(vault.membership.recoveries) == 2 and not vault.membership.exposed
    assert {tenant.recovery for tenant in vault.membership.tenants.values()} == {2}
    verbs = {entry["verb"] for entry in vault.log().entries}
    assert {"recovery.renewed", "directory.rekeyed", "tenant.rekeyed"} <= verbs
    with pytest.raises(Refused):
        Vault(folder, Kit.of_shares(pages(home / "first")[:3]), tmp_path / "old")
