"""Ways into a vault that change: another passphrase, and the recovery kit that lets a new administrator in."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import LOGIN, PASSPHRASE, Coffer
from reader import chain
from reader.account import UnlockedAccount
from reader.crypto import expand, hmac_sha256, info, label, sha256
from reader.encoding import decode, encode
from reader.header import HEADER, Header
from reader.refused import Refused
from reader.vault import Vault

CHANGED, IDAS = "loud kites above the reservoir 19", "nine brown owls doze over ida"


@dataclass
class Ways:
    coffer: Coffer
    kit: str
    before: Path
    after: Path
    recovered: Path


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    home = tmp_path_factory.mktemp("ways")
    coffer = Coffer(home)
    folder, kit = home / "ways.coffer", home / "kit.txt"
    new, ida = home / "new", home / "ida"
    new.write_text(CHANGED + "\n")
    ida.write_text(IDAS + "\n")
    as_ines = ("--vault", folder, "--login", LOGIN)
    coffer(*as_ines, "vault", "create", "--kit", kit)
    coffer(
        *as_ines, "shell",
        input="tenant create 'ACME GmbH'\nrecord add --tenant 'ACME GmbH' --kind note --title Gate --notes kept\n",
    )
    before = Path(shutil.copytree(folder, home / "before"))
    assert coffer(*as_ines, "account", "passphrase", "--new-passphrase-file", new) == [{"changed": True}]
    after = Path(shutil.copytree(folder, home / "after"))

    # Nobody knows a passphrase any more.
    def as_ida(*arguments, **options):
        return coffer("--vault", folder, "--login", "ida", *arguments, passphrase=ida, **options)

    [session] = coffer("--vault", folder, "account", "recover", "ida", "--kit", kit, passphrase=ida)
    assert session["login"] == "ida" and sorted(session["roles"]) == ["administrator", "auditor", "member"]
    assert as_ida("tenant", "list") == [[]]
    # While the tenant has a steward, the kit makes no other one.
    assert as_ida("key", "recover", "--kit", kit) == [{"recovered": 0}]
    [left] = as_ida("account", "offboard", LOGIN, "--now", "--even-last-steward")
    assert [(key["key"], key["needs_recovery"]) for key in left["pending"]] == [("tenant", True)]
    assert as_ida("key", "recover", "--kit", kit) == [{"recovered": 1}]
    assert as_ida("key", "pending") == [[]]
    return Ways(coffer, kit.read_text(encoding="utf-8"), before, after, folder)


def test_only_the_slot_that_the_account_named_last_counts(ways, tmp_path):
    vault = Vault(ways.after, ways.kit, tmp_path)
    ines = UnlockedAccount(vault.header, LOGIN, CHANGED)
    ines.require_of(vault.membership)
    assert vault.membership.accounts[ines.id].slots == [sha256(ines.slot)]
    with pytest.raises(Refused, match="no slot opens"):
        UnlockedAccount(vault.header, LOGIN, PASSPHRASE)
    # The header of before, put back: it opens, and the chain of today says that it does not count.
    old = UnlockedAccount(Header((ways.before / "header").read_bytes()), LOGIN, PASSPHRASE)
    with pytest.raises(Refused, match="counts no longer"):
        old.require_of(vault.membership)


def test_two_slots_are_what_a_change_leaves_that_was_stopped(ways, tmp_path):
    """After the statement: each slot is tried, and the new one alone counts, for the reader and for the program."""
    old = UnlockedAccount(Header((ways.before / "header").read_bytes()), LOGIN, PASSPHRASE)
    vault = Vault(ways.after, ways.kit, tmp_path)
    new = UnlockedAccount(vault.header, LOGIN, CHANGED)
    folder = Path(shutil.copytree(ways.after, tmp_path / "stopped"))
    members = decode((folder / "header").read_bytes(), HEADER)
    [entry] = members[12]
    entry = [*entry[:2], [old.slot, new.slot], *entry[3:6], bytes(32)]
    entry[6] = hmac_sha256(new.entry_mac_key, label("account-entry-mac"), encode(entry))
    members[12] = [entry]
    members[14] = bytes(32)
    header_key = expand(new.directory_key, info("header-mac-key", vault.id), 32)
    members[14] = hmac_sha256(header_key, label("header-mac"), encode(members))
    (folder / "header").write_bytes(encode(members))

    header = Header((folder / "header").read_bytes())
    header.verify(new.directory_key)
    UnlockedAccount(header, LOGIN, CHANGED).require_of(vault.membership)
    with pytest.raises(Refused, match="counts no longer"):
        UnlockedAccount(header, LOGIN, PASSPHRASE).require_of(vault.membership)
    as_ines = ("--vault", folder, "--login", LOGIN, "tenant", "list")
    # 3 where the old one is the cheaper of the two, too: the account's state asks for the new one's cost.
    refused = UnlockedAccount(header, LOGIN, PASSPHRASE)
    ways.coffer(*as_ines, expect=3 if refused.is_cheap() else 1)
    passphrase = tmp_path / "new"
    passphrase.write_text(CHANGED + "\n")
    [[tenant]] = ways.coffer(*as_ines, passphrase=passphrase)
    assert tenant["name"] == "ACME GmbH"


def test_the_kit_lets_a_new_administrator_in_and_the_chain_says_so(ways, tmp_path):
    vault = Vault(ways.recovered, ways.kit, tmp_path)
    known = vault.membership
    [(account, ida)] = known.accounts.items()
    assert (ida.login, ida.roles) == ("ida", 7) and [one.login for one in known.former.values()] == [LOGIN]
    assert not known.invitations and not known.exposed and not any(one.exposed for one in known.tenants.values())
    stated = [decode(statement, chain.STATEMENT) for statement, _ in vault.directory.statements()]
    by_recovery = [members[6][0] for members in stated if members[5] == chain.RECOVERY]
    assert by_recovery == [chain.ACCOUNT_INVITED, chain.EPOCH_OPENED, chain.GRANTED]
    # What was sealed to the code is the account's own.
    unlocked = UnlockedAccount(vault.header, "ida", IDAS)
    unlocked.require_of(known)
    vault.header.verify(unlocked.directory_key)
    assert {(pair, 1, account) for pair in ("audit", "office")} <= vault.directory.pair_seeds()

    tenant, database = vault.tenants["ACME GmbH"]
    assert known.tenants[tenant].epoch.number == 2
    assert {key: (grant.right, grant.expires) for key, grant in known.grants.items()} == {(tenant, account): (3, None)}
    [[kept]] = database.records().values()
    assert kept.notes == "kept"
    verbs = [entry["verb"] for entry in vault.log().entries]
    # For the account, and each time a steward was looked for.
    assert verbs.count("recovery.used") == 3 and verbs.index("recovery.used") < verbs.index("account.activated")
    assert "passphrase.changed" in verbs and "tenant.rekeyed" in verbs
