"""Several people on one vault, from invitations to leaving: opened from FORMAT.md and the recovery kit alone."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlcipher3
from conftest import LOGIN, PASSPHRASE, Coffer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reader import chain
from reader.account import UnlockedAccount
from reader.activation import ActivationKeys, OpenedInvitation, parse_code, vouched
from reader.crypto import XWing, expand, hmac_sha256, info, label, open_sealed, sha256, u64
from reader.directory import Directory
from reader.encoding import INTEGER, UNSIGNED, Exactly, decode, encode, id_bytes
from reader.header import HEADER, Header
from reader.kit import Kit
from reader.log import file_root
from reader.refused import Refused
from reader.vault import Vault

PASSPHRASES = {"otto": "seven copper kettles sing at dusk", "anna": "nobody counts the herons by 4711"}
PLAN = b"the plan of the cellar\n" * 9000
# Failures by look-up value.
DELAYS = ([(Exactly(32), UNSIGNED, INTEGER)],)


@dataclass
class People:
    folder: Path  # as it is in the end
    before: Path  # while otto could still unlock
    kit: Path
    codes: dict  # activation codes by login
    ids: dict  # accounts by login
    record: str
    answers: dict = field(default_factory=dict)
    log: list = field(default_factory=list)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    home = tmp_path_factory.mktemp("people")
    coffer = Coffer(home)
    folder, kit = home / "people.coffer", home / "kit.txt"
    for login, passphrase in PASSPHRASES.items():
        (home / login).write_text(passphrase + "\n")
    (home / "plan.txt").write_bytes(PLAN)

    def run(login, *lines, expect=0):
        return coffer(
            "--vault", folder, "--login", login, "shell",
            passphrase=home / login if login in PASSPHRASES else None, input="\n".join(lines), expect=expect,
        )

    coffer("--vault", folder, "--login", LOGIN, "vault", "create", "--kit", kit)
    first = run(
        LOGIN,
        "tenant create 'ACME GmbH'",
        "tenant create Bauer",
        "record add --tenant 'ACME GmbH' --kind note --title Gate --notes first",
        "record add --tenant Bauer --kind note --title Safe --notes kept",
        "record add --tenant 'ACME GmbH' --title Portal --field user=svc --field password=seen-by-otto",
        f"account invite otto --role member --code-file {home}/otto.code",
        f"account invite anna --role auditor --role member --code-file {home}/anna.code",
        f"account invite eva --role administrator --hours 200 --code-file {home}/eva.code",
        f"account invite gone --role member --code-file {home}/gone.code",
        "account withdraw-invitation gone",
    )
    record = first[2]["id"]
    run(LOGIN, f"file attach {record} {home}/plan.txt")
    for login in PASSPHRASES:
        coffer("--vault", folder, "account", "activate", "--code-file", home / f"{login}.code", passphrase=home / login)
    run(
        LOGIN,
        "grant add otto --tenant 'ACME GmbH' --right editor",
        "grant add anna --tenant 'ACME GmbH' --right reader --until 2199-12-31",
        "grant add otto --tenant Bauer --right reader",
    )
    portal = first[4]["id"]
    run("otto", f"record edit {record} --notes second", f"record show {portal} --reveal password")
    answers = {}
    [answers["people"], answers["withdrawn"], _] = run(
        LOGIN,
        "account list",
        "grant withdraw otto --tenant Bauer",
        "key custodians --tenant Bauer --name otto --name anna",
    )
    tenants = run(LOGIN, "tenant list")[0]
    [bauer] = [tenant["id"] for tenant in tenants if tenant["name"] == "Bauer"]
    second = f"--second-login anna --second-passphrase-file {home}/anna"
    [answers["glass"]] = run("otto", f"{second} key break-glass --tenant {bauer} --reason 'Server down'")
    before = Path(shutil.copytree(folder, home / "before"))

    answers["offboarded"], answers["exposures"], *answers["rotated"] = run(
        LOGIN,
        "account offboard otto --now --secrets-within 3",
        "account exposures --tenant 'ACME GmbH' --report",
        "key rotate --log",
        "key rotate --office",
        f"record edit {record} --notes third",
        "key pending",
    )
    run("otto", "tenant list", expect=1)
    coffer("--vault", folder, "--login", "anna", "log", "export", home / "log.jsonl", passphrase=home / "anna")
    log = [json.loads(line) for line in (home / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    codes = {login: (home / f"{login}.code").read_text() for login in ("otto", "anna", "eva", "gone")}
    ids = {account["login"]: id_bytes(account["id"]) for account in answers["people"]["accounts"]}
    return People(folder, before, kit, codes, ids, record, answers, log)


@pytest.fixture(scope="module")
def opened(people, tmp_path_factory):
    return Vault(people.folder, people.kit.read_text(encoding="utf-8"), tmp_path_factory.mktemp("scratch"))


@pytest.fixture(scope="module")
def opened_before(people, tmp_path_factory):
    return Vault(people.before, people.kit.read_text(encoding="utf-8"), tmp_path_factory.mktemp("scratch"))


def test_the_kit_opens_everything_of_a_vault_that_several_people_used(people, opened):
    known = opened.membership
    assert {account.login: account.roles for account in known.accounts.values()} == {
        LOGIN: 7,
        "anna": chain.AUDITOR | chain.MEMBER,
    }
    assert [account.login for account in known.former.values()] == ["otto"]
    assert [(invited.login, invited.roles) for invited in known.invitations.values()] == [("eva", chain.ADMINISTRATOR)]
    assert known.directory_generation == 2 and len(opened.audits) == len(opened.offices) == 2
    assert not known.exposed and not any(tenant.exposed for tenant in known.tenants.values())

    epochs = {name: known.tenants[tenant].epoch.number for name, (tenant, _) in opened.tenants.items()}
    assert epochs == {"ACME GmbH": 2, "Bauer": 3}
    key = id_bytes(people.record.split(".")[1])
    notes = [(version.notes, version.account) for version in opened.tenants["ACME GmbH"][1].records()[key]]
    ines, otto = people.ids[LOGIN], people.ids["otto"]
    assert notes == [("first", ines), ("first", ines), ("second", otto), ("third", ines)]
    assert opened.tenants["ACME GmbH"][1].attachments()[key][-1] == {"plan.txt": PLAN}
    [(kept,)] = opened.tenants["Bauer"][1].records().values()
    assert kept.notes == "kept"
    in_use = {tenant.epoch.file.hex() for tenant in known.tenants.values()}
    assert {path.stem for path in (people.folder / "tenants").glob("*.db")} == in_use
    assert {path.name for path in (people.folder / "files").iterdir()} <= in_use
    assert not (people.folder / "directory.next.db").exists()


def test_grants_are_those_that_were_given_and_not_withdrawn(people, opened):
    acme, bauer = opened.tenants["ACME GmbH"][0], opened.tenants["Bauer"][0]
    rights = {key: (grant.right, grant.expires) for key, grant in opened.membership.grants.items()}
    end_of_2199 = 7_258_118_400_000
    assert rights == {
        (acme, people.ids[LOGIN]): (3, None),
        (acme, people.ids["anna"]): (1, end_of_2199),
        (bauer, people.ids[LOGIN]): (3, None),
    }
    assert people.answers["withdrawn"]["rekeyed"] is True
    assert people.answers["offboarded"] == {"removed": "otto", "pending": []}


def test_two_custodians_open_a_tenant_and_it_stands_in_the_chain(people, opened_before):
    tenant, database = opened_before.tenants["Bauer"]
    known = opened_before.membership.tenants[tenant]
    otto, anna = people.ids["otto"], people.ids["anna"]
    assert set(known.custodians) == {otto, anna}
    [(opener, second, until, why)] = known.broken
    assert (opener, second, why) == (otto, anna, "Server down")
    assert opened_before.membership.grants[tenant, otto].right == 1
    [glass] = [glass for glass in people.answers["glass"] if glass["broken"]]
    assert glass["custodians"] == ["anna", "otto"] and glass["broken"][0]["opener"] == "otto"


def test_what_a_leaver_saw_is_reported_to_the_office(people, opened):
    otto, acme = people.ids["otto"], opened.tenants["ACME GmbH"][0]
    access_by, secrets_by = opened.membership.leaving[otto]
    assert access_by is None and secrets_by
    assert (acme, otto) in opened.membership.ended
    [[*figures, entries, kept, gone]] = [opened.reports[acme, otto]]
    assert set(opened.reports) == {(acme, otto)} and figures == [1, 0, 0]
    assert (kept, gone) == opened.tenants["ACME GmbH"][1].entries_seen(otto)
    log = {entry["index"]: entry for entry in people.log}
    [[shown, _]] = kept
    assert (log[shown]["action"], log[shown]["actor"]) == ("field.revealed", "otto") and shown < entries
    [exposures] = people.answers["exposures"]
    [account] = exposures["accounts"]
    assert (account["login"], account["open"], account["changed"], account["could_read"]) == ("otto", 1, 0, 0)
    [secret] = account["secrets"]
    assert (secret["title"], secret["how"]) == ("Portal", "revealed")


def test_shared_pairs_are_sealed_to_whom_their_roles_call_for(people, opened):
    recovery, ines, anna, eva = chain.RECOVERY, people.ids[LOGIN], people.ids["anna"], people.ids["eva"]
    expected = {("audit", number, holder) for number in (1, 2) for holder in (recovery, ines, anna)}
    expected |= {("office", number, holder) for number in (1, 2) for holder in (recovery, ines, anna, eva)}
    assert opened.directory.pair_seeds() == expected


def test_the_whole_log_reads_over_a_change_of_its_key(people, opened):
    log = opened.log()
    verbs = [entry["verb"] for entry in log.entries]
    counts = {verb: verbs.count(verb) for verb in verbs}
    for verb, count in {
        "account.invited": 4,
        "invitation.withdrawn": 1,
        "account.activated": 2,
        "grant.given": 3,
        "grant.withdrawn": 1,
        "account.removed": 1,
        "tenant.rekeyed": 3,
        "directory.rekeyed": 1,
        "audit_key.replaced": 1,
        "office_key.replaced": 1,
    }.items():
        assert counts[verb] == count, verb
    assert "effect.missing" not in verbs and "audit_key.corrected" not in verbs
    replaced = verbs.index("audit_key.replaced")
    assert log.segments == [0, replaced + 1]
    # The program shows the auditor the same.
    shown = [entry["action"] for entry in people.log]
    assert shown == verbs[: len(shown)]
    given = [entry for entry in log.entries if entry["verb"] == "grant.given"]
    acme, bauer = opened.tenants["ACME GmbH"][0], opened.tenants["Bauer"][0]
    otto, anna = people.ids["otto"], people.ids["anna"]
    assert [(entry["tenant"], entry["account"]) for entry in given] == [(acme, otto), (acme, anna), (bauer, otto)]


def test_a_passphrase_opens_what_its_account_may_have_and_nothing_else(people, opened):
    anna = UnlockedAccount(opened.header, "anna", PASSPHRASES["anna"])
    assert anna.id == people.ids["anna"] and anna.state[8] is None
    known = opened.membership.accounts[anna.id]
    assert (anna.sealing.public, anna.signing) == (known.sealing, known.signing)
    opened.header.verify(anna.directory_key)
    # A chain that was cut at its end is shorter than what the account remembers; the kit pins no length.
    heads = opened.membership.heads
    assert anna.state[:3] == [heads[0], len(heads), heads[-1]]
    for number, pair in enumerate(opened.audits, 1):
        sealed = opened.directory.pair_seed("audit", number, anna.id)
        context = info("seal/audit-seed", opened.id, u64(number), anna.id)
        assert XWing(open_sealed(anna.sealing, sealed, context)).public == pair.public
    keys = opened.directory.tenant_keys()
    assert {(tenant, epoch) for tenant, epoch, account in keys if account == anna.id} == {
        (opened.tenants["ACME GmbH"][0], 2)
    }


def test_who_left_opens_the_old_copy_and_nothing_written_since(people, opened, opened_before):
    old = UnlockedAccount(opened_before.header, "otto", PASSPHRASES["otto"])
    opened_before.header.verify(old.directory_key)
    with pytest.raises(Refused, match="no such login"):
        UnlockedAccount(opened.header, "otto", PASSPHRASES["otto"])
    with pytest.raises(Refused):
        opened.header.verify(old.directory_key)
    with pytest.raises(Refused):
        Directory(opened.folder, opened.id, old.directory_key)
    for sealed in opened.header.directory_key_for.values():
        with pytest.raises(Refused):
            open_sealed(old.sealing, sealed, info("seal/directory-key", opened.id, old.id, u64(2)))


def test_a_code_alone_opens_its_invitation_until_it_is_used_or_withdrawn(people, opened, opened_before):
    for vault in (opened_before, opened):
        invitation = OpenedInvitation(vault.header, people.codes["eva"])
        heads = vault.membership.heads
        assert invitation.account == people.ids["eva"]
        assert (invitation.founding, invitation.chain_head) == (heads[0], heads[invitation.chain_length - 1])
        stated = vault.membership.invitations[invitation.account]
        assert (invitation.keys.sealing.public, invitation.keys.signing) == (stated.sealing, stated.signing)
        for spent in ("otto", "anna", "gone"):
            with pytest.raises(Refused, match="no invitation"):
                OpenedInvitation(vault.header, people.codes[spent])


def test_a_code_is_refused_if_one_character_was_copied_wrongly(people):
    text = people.codes["eva"].strip()
    assert len(text.split()) == 6
    for at in (place for place, character in enumerate(text) if character != " "):
        with pytest.raises(Refused):
            parse_code(text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :])
    assert parse_code(text.lower().replace(" ", "\u2013")) == parse_code(text)


def test_delays_are_kept_by_the_look_up_value_of_a_login_nobody_has(people, opened):
    [[failed]] = decode((people.folder / "unlock.delays").read_bytes(), DELAYS)
    lookup, failures, last_ms = failed
    assert lookup == hmac_sha256(opened.header.salt, label("login-lookup"), b"otto")
    logged = [entry["at"] for entry in opened.log().entries if entry["verb"] == "vault.unlock_failed"]
    assert failures == len(logged) == 1 and 0 <= logged[0] - last_ms < 10_000


def test_a_directory_that_waits_to_take_its_place_is_the_one_that_counts(people, opened_before, tmp_path):
    """What a kill leaves after the header was replaced: the new file waits beside the old one."""
    folder = Path(shutil.copytree(people.folder, tmp_path / "vault"))
    (folder / "directory.db").rename(folder / "directory.next.db")
    shutil.copy(people.before / "directory.db", folder / "directory.db")
    kit = Kit(people.kit.read_text(encoding="utf-8"))
    header = Header((folder / "header").read_bytes())
    context = info("seal/directory-key-to-recovery", header.vault, u64(2))
    key = open_sealed(kit.sealing, header.directory_key_for_recovery, context)
    assert chain.replay(header.vault, Directory(folder, header.vault, key).statements()).directory_generation == 2
    # Before the header was replaced, the one that waits is of no key that counts.
    # With the root of the one that was locked in the header, nothing else is the directory.
    with pytest.raises(Refused):
        Directory(folder, header.vault, key, locked=header.directory_root)
    shutil.copytree(people.before, tmp_path / "not-yet")
    shutil.copy(people.folder / "directory.db", tmp_path / "not-yet/directory.next.db")
    again = Vault(tmp_path / "not-yet", people.kit.read_text(encoding="utf-8"), tmp_path)
    assert again.membership.heads == opened_before.membership.heads


# What the chain refuses. Statements are made with the real people's keys, at the end of the real chain.


class Chain:
    def __init__(self, vault, people):
        self.vault, self.people = vault.id, people
        self.statements = vault.directory.statements()
        seed = expand(vault.kit.seed, info("recovery/signing-seed"), 32)
        logins = {LOGIN: PASSPHRASE, **PASSPHRASES}
        unlocked = {login: UnlockedAccount(vault.header, login, passphrase) for login, passphrase in logins.items()}
        self.seeds = {people.ids[login]: account.signing_seed for login, account in unlocked.items()}
        self.seeds[chain.RECOVERY] = seed
        self.at = max(decode(statement, chain.STATEMENT)[3] for statement, _ in self.statements) + 1000

    def until(self, kind):
        """The statements before the first of this kind, and that one's members."""
        for place, (statement, _) in enumerate(self.statements):
            members = decode(statement, chain.STATEMENT)
            if members[6][0] == kind:
                return self.statements[:place], members
        raise AssertionError(kind)

    def state(self, signer, kind, *body, before=None, seed=None, at=None):
        """What the chain comes to with one more statement."""
        before = self.statements if before is None else before
        members = [
            self.vault, len(before), sha256(*before[-1]), at or self.at, bytes(16), signer, [kind, [list(body)]],
        ]
        statement = encode(members)
        seed = seed or self.seeds[signer]
        signature = Ed25519PrivateKey.from_private_bytes(seed).sign(label("statement") + statement)
        return chain.replay(self.vault, [*before, (statement, signature)])


@pytest.fixture(scope="module")
def stated(people, opened_before):
    return Chain(opened_before, people)


def test_a_statement_that_was_altered_or_left_out_is_refused(stated):
    for place, (statement, signature) in enumerate(stated.statements):
        altered = bytearray(statement)
        altered[-1] ^= 1
        for changed in ([(bytes(altered), signature)], [(statement, signature[:-1] + bytes([signature[-1] ^ 1]))], []):
            rest = stated.statements[place + 1 :]
            if changed or rest:
                with pytest.raises(Refused):
                    chain.replay(stated.vault, [*stated.statements[:place], *changed, *rest])
    assert chain.replay(stated.vault, stated.statements)


def test_an_enrolment_without_the_codes_signature_is_refused(people, stated):
    before, members = stated.until(chain.ACCOUNT_ENROLLED)
    account, sealing, signing, at, vouched_for = members[6][1][0]
    code = ActivationKeys(parse_code(people.codes["otto"]), stated.vault)
    message = label("enrolment") + vouched(stated.vault, account, at, sealing, signing)

    def enrol(*body, signer=account):
        return stated.state(signer, chain.ACCOUNT_ENROLLED, *body, before=before, seed=stated.seeds[account])

    assert account == people.ids["otto"]
    assert enrol(account, sealing, signing, at, vouched_for).accounts[account].roles == chain.MEMBER
    again = Ed25519PrivateKey.from_private_bytes(code.signing_seed).sign(message)
    assert again == vouched_for
    own = Ed25519PrivateKey.from_private_bytes(stated.seeds[account]).sign(message)
    for forged in (own, bytes(64)):
        with pytest.raises(Refused):
            enrol(account, sealing, signing, at, forged)
    # The same signature vouches for no other keys, time or account.
    with pytest.raises(Refused):
        enrol(account, sealing[::-1], signing, at, vouched_for)
    with pytest.raises(Refused):
        enrol(account, sealing, signing, at + 1, vouched_for)
    with pytest.raises(Refused):
        enrol(people.ids["anna"], sealing, signing, at, vouched_for, signer=people.ids["anna"])
    with pytest.raises(Refused):
        enrol(account, sealing, signing, at, vouched_for, signer=people.ids[LOGIN])
    # Too late, though the code signed it.
    late = at + 40 * chain.DAY
    signed = Ed25519PrivateKey.from_private_bytes(code.signing_seed).sign(
        label("enrolment") + vouched(stated.vault, account, late, sealing, signing)
    )
    with pytest.raises(Refused, match="after"):
        enrol(account, sealing, signing, late, signed)
    # Once is enough.
    with pytest.raises(Refused, match="without an invitation"):
        stated.state(account, chain.ACCOUNT_ENROLLED, account, sealing, signing, at, vouched_for)


def test_nobody_states_what_their_roles_and_rights_do_not_allow(people, stated, opened_before):
    ines, otto, anna = (people.ids[login] for login in (LOGIN, "otto", "anna"))
    acme, bauer = opened_before.tenants["ACME GmbH"][0], opened_before.tenants["Bauer"][0]
    known = opened_before.membership
    epoch = known.tenants[acme].epoch
    key = known.accounts[anna].sealing
    bauers = known.tenants[bauer].epoch
    next_epoch = (acme, 2, bytes(32), bytes([9] * 16), bytes(32), bytes(32), bytes(32))

    def grant(right):
        return (acme, 1, otto, known.accounts[otto].keys_digest(), right, None, bytes(32), epoch.kid)

    def invited(login, roles, account=bytes([7] * 16), hours=24):
        return (account, login, roles, key, known.accounts[anna].signing, stated.at + hours * 3_600_000)

    refused = [
        (otto, chain.GRANTED, *grant(3)),  # an editor grants nothing
        (anna, chain.GRANTED, *grant(3)),
        (otto, chain.EPOCH_OPENED, *next_epoch),
        (anna, chain.ROLES_SET, anna, 7),
        (otto, chain.ACCOUNT_REMOVED, anna),
        (otto, chain.GRANT_WITHDRAWN, acme, ines),
        (otto, chain.DIRECTORY_KEYED, 2, bytes(32)),
        (ines, chain.DIRECTORY_KEYED, 3, bytes(32)),
        (ines, chain.DIRECTORY_KEYED, 2, known.directory_kid),
        (ines, chain.AUDIT_REPLACED, known.audits[0]),
        (ines, chain.OFFICE_REPLACED, known.offices[0]),
        (otto, chain.SLOTS_NAMED, []),
        (otto, chain.SLOTS_NAMED, [bytes(32)] * 17),
        (otto, chain.SLOTS_NAMED, [bytes(31)]),
        (chain.RECOVERY, chain.SLOTS_NAMED, [bytes(32)]),
        (otto, chain.AUDIT_REPLACED, key),
        (otto, chain.OFFICE_REPLACED, key),
        (otto, chain.ACCOUNT_INVITED, *invited("ida", 4)),
        (ines, chain.ACCOUNT_INVITED, *invited("0tt0", 4)),  # looks like otto
        (ines, chain.ACCOUNT_INVITED, *invited("Ida", 4)),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 0)),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 8)),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 4, account=otto)),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 4, hours=0)),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 4, hours=24 * 32)),
        (ines, chain.ROLES_SET, ines, 6),  # no administrator would be left
        (ines, chain.ACCOUNT_REMOVED, ines),
        (ines, chain.INVITATION_WITHDRAWN, otto),
        (ines, chain.GRANT_WITHDRAWN, bauer, people.ids["anna"]),
        (ines, chain.EPOCH_OPENED, acme, 3, *next_epoch[2:]),
        (ines, chain.EPOCH_OPENED, acme, 2, epoch.kid, *next_epoch[3:]),
        (ines, chain.EPOCH_OPENED, acme, 2, bytes(32), epoch.file, *next_epoch[4:]),
        (ines, chain.EPOCH_OPENED, acme, 2, bytes(32), bauers.file, *next_epoch[4:]),  # another tenant's
        (chain.RECOVERY, chain.ACCOUNT_INVITED, *invited("ida", 4)),
        (chain.RECOVERY, chain.ROLES_SET, otto, 7),
        (chain.RECOVERY, chain.ACCOUNT_REMOVED, otto),
        (chain.RECOVERY, chain.GRANT_WITHDRAWN, acme, otto),
        (chain.RECOVERY, chain.DIRECTORY_KEYED, 2, bytes(32)),
        (chain.RECOVERY, chain.AUDIT_REPLACED, key),
        (chain.RECOVERY, chain.TENANT_CREATED, bytes(16), ines, False),
    ]
    for signer, kind, *body in refused:
        with pytest.raises(Refused):
            stated.state(signer, kind, *body)
            pytest.fail(f"{kind} {body}")

    admitted = [
        (ines, chain.GRANTED, *grant(3)),
        (ines, chain.EPOCH_OPENED, *next_epoch),
        (otto, chain.GRANT_WITHDRAWN, acme, otto),
        (anna, chain.AUDIT_REPLACED, key),
        (anna, chain.OFFICE_REPLACED, key),
        (ines, chain.ACCOUNT_INVITED, *invited("ida", 4)),
        (chain.RECOVERY, chain.ACCOUNT_INVITED, *invited("ida", 5)),
        (chain.RECOVERY, chain.GRANTED, *grant(3)),
        (chain.RECOVERY, chain.EPOCH_OPENED, *next_epoch),
        (otto, chain.SLOTS_NAMED, [bytes(32)]),
    ]
    for signer, kind, *body in admitted:
        assert stated.state(signer, kind, *body)
    # Recovery opens a tenant's first epoch, too.
    before, members = stated.until(chain.EPOCH_OPENED)
    first = members[6][1][0]
    assert stated.state(chain.RECOVERY, chain.EPOCH_OPENED, *first, before=before).tenants[first[0]].epoch.number == 1
    with pytest.raises(Refused):
        stated.state(otto, chain.EPOCH_OPENED, *first, before=before, seed=stated.seeds[otto])
    # A code that was withdrawn has opened the directory; an officer's, the office and the log as well.
    assert known.exposed == {"directory"}
    after = stated.state(ines, chain.INVITATION_WITHDRAWN, people.ids["eva"])
    assert after.exposed == {"directory", "office"}
    # A new epoch ends every grant of the tenant, and no other's.
    after = stated.state(ines, chain.EPOCH_OPENED, *next_epoch)
    assert {tenant for tenant, _ in after.grants} == {bauer} and after.tenants[acme].epoch.number == 2


def test_what_was_altered_inside_the_directory_is_refused(people, opened, tmp_path):
    """By somebody who has the directory key: an account of the vault."""
    anna = UnlockedAccount(opened.header, "anna", PASSPHRASES["anna"])
    database_key = expand(anna.directory_key, info("directory-database-key", opened.id), 48)
    kit = people.kit.read_text(encoding="utf-8")
    zeroed = "UPDATE {0} SET {1} = zeroblob(length({1})) WHERE rowid = (SELECT max(rowid) FROM {0})"
    changes = [
        zeroed.format("statement", "signature"),
        "UPDATE statement SET bytes = CAST(replace(bytes, 'anna', 'ines') AS BLOB)",
        "DELETE FROM statement WHERE position = 5",
        "UPDATE tenant_key SET sealed = zeroblob(length(sealed))",
        "UPDATE tenant_epoch SET name_for_office = zeroblob(10)",
        "DELETE FROM pair_seed WHERE number = 2 AND holder = zeroblob(16)",
        "UPDATE pair_seed SET sealed = (SELECT p.sealed FROM pair_seed p WHERE p.pair = pair_seed.pair AND "
        "p.number = 3 - pair_seed.number AND p.holder = pair_seed.holder)",
    ]
    for number, change in enumerate([None, *changes]):
        folder = Path(shutil.copytree(people.folder, tmp_path / str(number)))
        database = sqlcipher3.connect(str(folder / "directory.db"), isolation_level=None)
        database.execute(f"PRAGMA key = \"x'{database_key.hex()}'\"")
        if change:
            assert database.execute(change).rowcount > 0
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        # The root in the header is put right as well: whoever has the directory key can.
        _reseal(folder, anna.directory_key, opened.id)
        scratch = tmp_path / f"scratch-{number}"
        scratch.mkdir()
        if change is None:
            Vault(folder, kit, scratch)
            continue
        with pytest.raises(Refused):
            Vault(folder, kit, scratch)
            pytest.fail(change)


def _reseal(folder, directory_key, vault):
    members = decode((folder / "header").read_bytes(), HEADER)
    members[11] = list(file_root(folder / "directory.db"))
    key = expand(directory_key, info("header-mac-key", vault), 32)
    members[14] = bytes(32)
    members[14] = hmac_sha256(key, label("header-mac"), encode(members))
    (folder / "header").write_bytes(encode(members))
