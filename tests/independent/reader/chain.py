"""The membership chain (docs/FORMAT.md §5.8, §5.9)."""

import re
import unicodedata
from dataclasses import dataclass, field

from .activation import vouched
from .crypto import check_verifying_key, label, sha256, verify
from .encoding import BOOL, BYTES, INTEGER, TEXT, UNSIGNED, Exactly, OneOf, Optional, decode
from .refused import require

ID, HASH, PUBLIC_KEY, SIGNATURE = Exactly(16), Exactly(32), Exactly(1216), Exactly(64)
FOUNDING, DEVICE_ENROLLED, TENANT_CREATED, EPOCH_OPENED, GRANTED, BACKUP_MADE = range(6)
KIND_SET, KIND_REMOVED, ACCOUNT_INVITED, INVITATION_WITHDRAWN, ACCOUNT_ENROLLED, ROLES_SET, ACCOUNT_REMOVED = range(6, 13)
GRANT_WITHDRAWN, DIRECTORY_KEYED, AUDIT_REPLACED, OFFICE_REPLACED, SLOTS_NAMED = range(13, 18)
POLICY_SET, SECOND_FACTOR_STATED, PROVIDER_SET, ACCOUNT_FEDERATED = range(18, 22)
LEAVING_SET, EXPOSURE_REPORTED = 22, 23
RECOVERY_REPLACED, RECOVERY_ACCEPTED, KEY_COMPROMISED, ACCOUNT_REKEYED, CRYPTOPERIODS_SET = range(24, 29)
GLASS_PREPARED, GLASS_BROKEN, VAULT_MOVED, MOVE_TAKEN_BACK = range(29, 33)
# how many shares it takes, digest of each
SPLIT = Optional((UNSIGNED, [HASH]))
BODIES = OneOf(
    {
        # suite, account, login, sealing and signing key of the account, of recovery; audit and office key; age recipient;
        # KID of the directory key, how recovery's seed is split
        FOUNDING: (UNSIGNED, ID, TEXT, PUBLIC_KEY, HASH, PUBLIC_KEY, HASH, PUBLIC_KEY, PUBLIC_KEY, HASH, HASH, SPLIT),
        # signing key
        DEVICE_ENROLLED: (HASH,),
        # tenant, first steward, invented data
        TENANT_CREATED: (ID, ID, BOOL),
        # tenant, epoch, KID, file; digests: key for recovery, name for the office, name for holders
        EPOCH_OPENED: (ID, UNSIGNED, HASH, ID, HASH, HASH, HASH),
        # tenant, epoch, grantee, digest of the grantee's keys, right, expiry, digest of the sealed key, KID
        GRANTED: (ID, UNSIGNED, ID, HASH, UNSIGNED, Optional(INTEGER), HASH, HASH),
        # counter, digest of the manifest
        BACKUP_MADE: (UNSIGNED, HASH),
        # kind, digest of its template
        KIND_SET: (TEXT, HASH),
        # kind
        KIND_REMOVED: (TEXT,),
        # account, login, roles, sealing and signing key of the activation code, until when
        ACCOUNT_INVITED: (ID, TEXT, UNSIGNED, PUBLIC_KEY, HASH, INTEGER),
        # account
        INVITATION_WITHDRAWN: (ID,),
        # account, its sealing and signing key, when, signature by the activation code
        ACCOUNT_ENROLLED: (ID, PUBLIC_KEY, HASH, INTEGER, SIGNATURE),
        # account, roles
        ROLES_SET: (ID, UNSIGNED),
        # account
        ACCOUNT_REMOVED: (ID,),
        # tenant, account
        GRANT_WITHDRAWN: (ID, ID),
        # generation, KID
        DIRECTORY_KEYED: (UNSIGNED, HASH),
        # public key
        AUDIT_REPLACED: (PUBLIC_KEY,),
        OFFICE_REPLACED: (PUBLIC_KEY,),
        # digests of the slots that count
        SLOTS_NAMED: ([HASH],),
        # roles that need a second factor, actions asked for anew, actions for two people, least memory
        POLICY_SET: (UNSIGNED, UNSIGNED, UNSIGNED, UNSIGNED),
        # whether the signer has one
        SECOND_FACTOR_STATED: (BOOL,),
        # issuer, audience, claim, days, digest of the key set, key that tokens are encrypted to
        PROVIDER_SET: (Optional((TEXT, TEXT, TEXT, UNSIGNED, HASH, Exactly(65))),),
        # account, what the claim says of it
        ACCOUNT_FEDERATED: (ID, Optional(TEXT)),
        # account, end of its access, by when secrets are changed
        LEAVING_SET: (ID, Optional(INTEGER), Optional(INTEGER)),
        # tenant, account, digest of the report
        EXPOSURE_REPORTED: (ID, ID, HASH),
        # number, sealing and signing key, age recipient, how its seed is split
        RECOVERY_REPLACED: (UNSIGNED, PUBLIC_KEY, HASH, HASH, SPLIT),
        # number
        RECOVERY_ACCEPTED: (UNSIGNED,),
        # kind of key, tenant
        KEY_COMPROMISED: (UNSIGNED, Optional(ID)),
        # sealing and signing key, slots that count, tenants with the digest of their key sealed anew
        ACCOUNT_REKEYED: (PUBLIC_KEY, HASH, [HASH], [(ID, HASH)]),
        # tenant, epoch; of each custodian: account, digest of their keys, digest of their share
        GLASS_PREPARED: (ID, UNSIGNED, [(ID, HASH, HASH)]),
        # tenant, epoch, until when, why, the other custodian, digest of the sealed key, KID, the other's signature
        GLASS_BROKEN: (ID, UNSIGNED, INTEGER, TEXT, ID, HASH, HASH, SIGNATURE),
        # key of the device it goes from
        VAULT_MOVED: (HASH,),
        # the same
        MOVE_TAKEN_BACK: (HASH,),
        # days of each kind
        CRYPTOPERIODS_SET: ([UNSIGNED],),
    }
)
# vault, position, hash of the statement before, time, replica, signer, body
STATEMENT = (ID, UNSIGNED, HASH, INTEGER, ID, ID, BODIES)
STEWARD = 3
ADMINISTRATOR, AUDITOR, MEMBER = 1, 2, 4
OFFICER = ADMINISTRATOR | AUDITOR
RECOVERY = bytes(16)
DAY = 24 * 60 * 60 * 1000
UNDER_WAY, TAKEN_UP, TAKEN_BACK = "under way", "taken up", "taken back"


@dataclass
class Account:
    login: str
    roles: int
    sealing: bytes
    signing: bytes
    slots: list | None = None  # digests of those that count; None: all
    signed_with: list = field(default_factory=list)  # signing keys of before
    second_factor: bool = False
    federation: tuple | None = None  # what the provider's claim says of it, position of the statement

    def keys_digest(self):
        return sha256(self.sealing, self.signing)

    def is_free_administrator(self):
        return bool(self.roles & ADMINISTRATOR) and not self.federation


@dataclass
class Invitation:
    login: str
    roles: int
    sealing: bytes
    signing: bytes
    expires: int


@dataclass
class Epoch:
    number: int
    kid: bytes
    file: bytes
    recovery_digest: bytes
    name_for_office_digest: bytes
    name_for_holders_digest: bytes


@dataclass
class Tenant:
    opener: bytes  # who signs, or signed, the epoch
    demo: bool
    epoch: Epoch | None = None
    holders: set = field(default_factory=set)  # who was granted the epoch
    exposed: bool = False  # somebody holds its key who may not
    recovery: int = 1  # which one its key is sealed to
    custodians: dict = field(default_factory=dict)  # digests of keys and of share, by account
    broken: list = field(default_factory=list)  # who, with whom, until when, why


@dataclass
class Grant:
    right: int
    expires: int | None
    sealed_digest: bytes


@dataclass
class Membership:
    """What a chain comes to."""

    vault: bytes
    audits: list  # the one in use last
    offices: list
    directory_kids: list  # the one in use last
    recoveries: list  # sealing and signing key, age recipient, split; the one in use last
    trusted: dict = field(default_factory=dict)  # the newest recovery that an account has said to trust
    directory_generation: int = 1
    accounts: dict = field(default_factory=dict)
    invitations: dict = field(default_factory=dict)
    former: dict = field(default_factory=dict)
    exposed: set = field(default_factory=set)  # of "directory", "audit", "office"
    tenants: dict = field(default_factory=dict)
    grants: dict = field(default_factory=dict)  # by tenant and account
    ended: set = field(default_factory=set)  # tenant and account of grants that hold no longer
    leaving: dict = field(default_factory=dict)  # end of access, and by when secrets are changed, by account
    reported: dict = field(default_factory=dict)  # digest of the report by tenant and account
    devices: list = field(default_factory=list)
    backups: dict = field(default_factory=dict)  # digest of the manifest by counter
    kinds: dict = field(default_factory=dict)  # digest of the template by kind
    provider: list | None = None  # what was pinned last
    files: set = field(default_factory=set)  # of every epoch of every tenant
    moves: list = field(default_factory=list)  # key of the device the vault went from, what became of it
    heads: list = field(default_factory=list)  # hash of each statement

    @property
    def directory_kid(self):
        return self.directory_kids[-1]

    @property
    def recovery(self):
        return self.recoveries[-1]

    def trusted_by(self, account):
        return self.trusted.get(account, 1)

    def roles(self, account):
        return self.accounts[account].roles if account in self.accounts else 0

    def is_steward(self, tenant, account, at):
        grant = self.grants.get((tenant, account))
        return grant is not None and grant.right == STEWARD and (grant.expires is None or at < grant.expires)

    def end_grants(self, which):
        ending = {key for key in self.grants if which(*key)}
        self.grants = {key: grant for key, grant in self.grants.items() if key not in ending}
        self.ended |= ending

    @property
    def moving(self):
        """The key of the device the vault goes from, as long as nobody has taken the move up or back."""
        return self.moves[-1][0] if self.moves and self.moves[-1][1] == UNDER_WAY else None

    def statement_hash(self, length):
        """Hash of the last of the first `length` statements."""
        require(1 <= length <= len(self.heads), "the chain is shorter than that")
        return self.heads[length - 1]


def replay(vault, signed_statements):
    """Verifies a whole chain, each statement by what stood before it."""
    require(signed_statements, "the membership chain is empty")
    membership = _found(vault, *signed_statements[0])
    for statement, signature in signed_statements[1:]:
        _admit(membership, statement, signature)
    return membership


def _found(vault, statement, signature):
    of_vault, position, previous, _at, _replica, signer, (kind, (body,)) = decode(statement, STATEMENT)
    require(kind == FOUNDING and of_vault == vault, "the chain does not begin with the founding of this vault")
    require(position == 0 and previous == bytes(32), "a statement out of place")
    suite, account, login, sealing, signing, recovery_sealing, recovery_signing, audit, office, age, kid = body[:11]
    split = check_split(body[11])
    require(suite == 1 and signer == account != RECOVERY, "founded by somebody else, or of an unknown suite")
    check_login(login)
    check_verifying_key(recovery_signing)
    verify(signing, label("statement") + statement, signature)
    membership = Membership(vault, [audit], [office], [kid], [(recovery_sealing, recovery_signing, age, split)])
    membership.accounts[account] = Account(login, ADMINISTRATOR | AUDITOR | MEMBER, sealing, signing)
    membership.heads.append(sha256(statement, signature))
    return membership


def _admit(membership, statement, signature):
    vault, position, previous, at, _replica, signer, (kind, (body,)) = decode(statement, STATEMENT)
    in_place = position == len(membership.heads) and previous == membership.heads[-1]
    require(vault == membership.vault and in_place, "a statement out of place")
    require(kind in _APPLY, "a vault is founded once")
    verify(_key_of(membership, signer, kind, body), label("statement") + statement, signature)
    needed = _NEEDED_ROLES.get(kind)
    require(not needed or membership.roles(signer) & needed, "stated without the role for it")
    _APPLY[kind](membership, signer, at, *body)
    membership.heads.append(sha256(statement, signature))


def _key_of(membership, signer, kind, body):
    if kind == ACCOUNT_ENROLLED:
        return body[2]
    if signer == RECOVERY:
        number = len(membership.recoveries)
        if kind in (EPOCH_OPENED, GRANTED):
            require(body[0] in membership.tenants, "of no tenant")
            number = membership.tenants[body[0]].recovery
        return membership.recoveries[number - 1][1]
    require(signer in membership.accounts, "signed by nobody of this vault")
    return membership.accounts[signer].signing


def check_login(login):
    well_formed = re.fullmatch(r"[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?", login)
    require(well_formed, "no login")


def check_split(split):
    if split is not None:
        needed, shares = split
        require(2 <= needed <= len(shares) <= 16 and len(set(shares)) == len(shares), "no way to split a seed")
    return split


def skeleton(login):
    return login.replace("0", "o").replace("1", "l").replace("m", "rn")


def check_roles(roles):
    require(0 < roles < 8, "no roles, or unknown ones")


def _device_enrolled(membership, _signer, _at, signing):
    check_verifying_key(signing)
    if membership.moving is not None:
        require(signing not in membership.devices, "a move taken up where the vault was before")
        membership.moves[-1] = (membership.moving, TAKEN_UP)
    membership.devices.append(signing)


def _tenant_created(membership, _signer, _at, tenant, steward, demo):
    require(steward in membership.accounts and tenant not in membership.tenants, "a tenant that cannot be created")
    membership.tenants[tenant] = Tenant(steward, demo, recovery=membership.trusted_by(steward))


def _epoch_opened(membership, signer, at, tenant, number, kid, file, *digests):
    known = membership.tenants.get(tenant)
    require(known, "an epoch of no tenant")
    if known.epoch is None:
        require(number == 1 and signer in (known.opener, RECOVERY), "an epoch without authority")
    else:
        by_steward = membership.is_steward(tenant, signer, at)
        require(by_steward or signer == RECOVERY, "an epoch without authority")
        require(number == known.epoch.number + 1, "an epoch out of order")
        require(kid != known.epoch.kid, "an epoch of the same key")
    require(file not in membership.files, "a file that a tenant has, or had")
    membership.files.add(file)
    rests_on = known.recovery if signer == RECOVERY else membership.trusted_by(signer)
    require(rests_on >= known.recovery, "an epoch by who does not trust the recovery that the tenant rests on")
    membership.tenants[tenant] = Tenant(signer, known.demo, Epoch(number, kid, file, *digests), recovery=rests_on)
    membership.end_grants(lambda of, _: of == tenant)


def _granted(membership, signer, at, tenant, number, grantee, keys_digest, right, expires, sealed_digest, kid):
    known = membership.tenants.get(tenant)
    require(known and known.epoch and grantee in membership.accounts, "a grant of or to what does not exist")
    by_steward = signer == RECOVERY or membership.is_steward(tenant, signer, at)
    by_opener = not known.holders and signer == known.opener == grantee
    require(by_steward or by_opener, "a grant without authority")
    require(number == known.epoch.number and kid == known.epoch.kid, "a grant of another key")
    require(keys_digest == membership.accounts[grantee].keys_digest(), "a grant to other keys")
    require(right in (1, 2, STEWARD), "an unknown right")
    known.holders.add(grantee)
    membership.ended.discard((tenant, grantee))
    membership.reported.pop((tenant, grantee), None)
    membership.grants[tenant, grantee] = Grant(right, expires, sealed_digest)


def _grant_withdrawn(membership, signer, at, tenant, account):
    by_steward = membership.is_steward(tenant, signer, at)
    may = by_steward or membership.roles(signer) & ADMINISTRATOR or signer == account
    require(may, "a grant withdrawn without authority")
    require((tenant, account) in membership.grants, "a grant that is not there is withdrawn")
    membership.end_grants(lambda *of: of == (tenant, account))
    membership.tenants[tenant].exposed = True


def _account_invited(membership, signer, at, account, login, roles, sealing, signing, expires):
    check_login(login)
    check_roles(roles)
    by_recovery = signer == RECOVERY and roles & ADMINISTRATOR
    require(by_recovery or membership.roles(signer) & ADMINISTRATOR, "an invitation without authority")
    require(account[:12] != bytes(12), "an account that stands for recovery")
    known = {*membership.accounts, *membership.invitations, *membership.former}
    require(account not in known, "an invitation of an account that is known")
    present = [*membership.accounts.values(), *membership.invitations.values()]
    taken = {skeleton(one.login) for one in present}
    require(skeleton(login) not in taken, "a login that looks like another")
    require(len(present) < 1000, "too many accounts")
    require(0 < expires - at <= 31 * DAY, "an invitation that is open for too long, or not at all")
    check_verifying_key(signing)
    membership.invitations[account] = Invitation(login, roles, sealing, signing, expires)


def _invitation_withdrawn(membership, _signer, _at, account):
    invitation = membership.invitations.pop(account, None)
    require(invitation, "an invitation that is not there is withdrawn")
    # Whoever has the code could open what was sealed to it.
    membership.exposed.add("directory")
    _expose(membership, invitation.roles, 0)


def _account_enrolled(membership, signer, _at, account, sealing, signing, at, vouched_for):
    invitation = membership.invitations.pop(account, None)
    require(invitation and signer == account, "an enrolment without an invitation")
    require(at <= invitation.expires, "an enrolment after the invitation's end")
    message = vouched(membership.vault, account, at, sealing, signing)
    verify(invitation.signing, label("enrolment") + message, vouched_for)
    check_verifying_key(signing)
    membership.accounts[account] = Account(invitation.login, invitation.roles, sealing, signing)


def _lose_roles(membership, account, after):
    """Keeps an administrator without a mark and an auditor; says which keys are held by somebody who may not."""
    require(account in membership.accounts, "no such account")
    before = membership.accounts[account].roles
    others = [known for one, known in membership.accounts.items() if one != account]
    is_free = not membership.accounts[account].federation
    free = is_free and after & ADMINISTRATOR or any(other.is_free_administrator() for other in others)
    audits = after & AUDITOR or any(other.roles & AUDITOR for other in others)
    require(free and audits, "nobody is left with a role the vault needs")
    _expose(membership, before, after)


def _expose(membership, before, after):
    if before & AUDITOR and not after & AUDITOR:
        membership.exposed.add("audit")
    if before & OFFICER and not after & OFFICER:
        membership.exposed.add("office")


def _roles_set(membership, _signer, _at, account, roles):
    check_roles(roles)
    _lose_roles(membership, account, roles)
    membership.accounts[account].roles = roles


def _account_removed(membership, _signer, _at, account):
    _lose_roles(membership, account, 0)
    membership.former[account] = membership.accounts.pop(account)
    membership.exposed.add("directory")
    membership.end_grants(lambda _, of: of == account)
    for tenant in membership.tenants.values():
        tenant.exposed = tenant.exposed or account in tenant.holders


def _directory_keyed(membership, _signer, _at, generation, kid):
    require(generation == membership.directory_generation + 1, "a directory key out of order")
    require(kid not in membership.directory_kids, "a directory key that was in use before")
    membership.directory_generation = generation
    membership.directory_kids.append(kid)
    membership.exposed.discard("directory")


def _audit_replaced(membership, _signer, _at, public):
    require(public not in membership.audits, "an audit key that was in use before")
    membership.audits.append(public)
    membership.exposed.discard("audit")


def _office_replaced(membership, _signer, _at, public):
    require(public not in membership.offices, "an office key that was in use before")
    membership.offices.append(public)
    membership.exposed.discard("office")


def _slots_named(membership, signer, _at, slots):
    require(signer in membership.accounts and 1 <= len(slots) <= 16, "slots of nobody, or too many or none")
    membership.accounts[signer].slots = slots


def _policy_set(membership, _signer, _at, second_factor, step_up, two_people, memory):
    require(second_factor < 8 and step_up < 256 and not two_people & ~(4 | 8 | 128), "rules about what there is not")
    require(memory <= 1_048_576, "more memory than a slot may ask for")
    membership.policy = (second_factor, step_up, two_people, memory)


def _second_factor_stated(membership, signer, _at, has_one):
    require(signer in membership.accounts, "a second factor of nobody")
    membership.accounts[signer].second_factor = has_one


def _leaving_set(membership, signer, _at, account, access_by, secrets_by):
    require(signer != account, "an account decides about its own leaving")
    lives = account in membership.accounts
    if secrets_by is None:
        require(access_by is None and lives, "an account stays that does not exist")
        require(membership.leaving.pop(account, None), "an account stays that was not to leave")
        return
    if access_by is None:
        require(account in membership.former, "times of an account that has not left")
        access_by, _ = membership.leaving.get(account, (None, None))
    else:
        require(lives and access_by <= secrets_by, "an account leaves that does not exist, or in the wrong order")
    membership.leaving[account] = (access_by, secrets_by)


def _exposure_reported(membership, signer, at, tenant, account, digest):
    require(membership.is_steward(tenant, signer, at), "a report without authority")
    require((tenant, account) in membership.ended, "a report of who may read the tenant, or never might")
    membership.reported[tenant, account] = digest


def is_provider_text(text):
    return 1 <= len(text.encode()) <= 512 and not any(unicodedata.category(c) == "Cc" for c in text)


def _provider_set(membership, _signer, _at, provider):
    if provider is None:
        marked = any(account.federation for account in membership.accounts.values())
        require(membership.provider and not marked, "a provider taken away that is needed, or not there")
    else:
        issuer, audience, claim, days, _key_set, _encryption = provider
        require(all(map(is_provider_text, (issuer, audience, claim))), "no text of a provider")
        require(1 <= days <= 366, "a lease of no time, or of too long a one")
    membership.provider = provider


def _account_federated(membership, signer, _at, account, subject):
    known = membership.accounts.get(account)
    require(known, "a mark of nobody")
    require(not known.federation or signer != account, "a mark of one's own changed")
    if subject is None:
        require(known.federation, "a mark taken away that is not there")
        known.federation = None
        return
    others = [other.federation[0] for id, other in membership.accounts.items() if id != account and other.federation]
    require(membership.provider and is_provider_text(subject) and subject not in others, "no mark")
    known.federation = (subject, len(membership.heads))
    free = any(other.is_free_administrator() for other in membership.accounts.values())
    require(free, "no administrator without a mark")


def _recovery_replaced(membership, signer, _at, number, sealing, signing, age, split):
    require(number == len(membership.recoveries) + 1, "a recovery out of order")
    check_verifying_key(signing)
    known = {key for recovery in membership.recoveries for key in recovery[:2]}
    require(not known & {sealing, signing}, "a recovery that was in use before")
    membership.recoveries.append((sealing, signing, age, check_split(split)))
    membership.trusted[signer] = number
    membership.exposed.update(("directory", "audit", "office"))


def _recovery_accepted(membership, signer, _at, number):
    newest = signer in membership.accounts and number == len(membership.recoveries)
    require(newest and number > membership.trusted_by(signer), "trust in a recovery that is not the newest")
    membership.trusted[signer] = number


def _key_compromised(membership, signer, at, kind, tenant):
    roles = membership.roles(signer)
    if kind == 1:
        known = membership.tenants.get(tenant)
        require(known and known.epoch and membership.is_steward(tenant, signer, at), "a key called compromised without authority")
        known.exposed = True
        return
    needed = {2: ADMINISTRATOR, 3: AUDITOR, 4: OFFICER, 5: ADMINISTRATOR, 6: ADMINISTRATOR}
    require(tenant is None and roles & needed.get(kind, 0), "a key called compromised without authority")
    require(kind != 6 or membership.devices, "the key of no device")
    if kind in (2, 3, 4):
        membership.exposed.add(("directory", "audit", "office")[kind - 2])


def _account_rekeyed(membership, signer, _at, sealing, signing, slots, resealed):
    account = membership.accounts.get(signer)
    require(account and 1 <= len(slots) <= 16, "keys of nobody, or slots that are too many or none")
    check_verifying_key(signing)
    for known in (*membership.accounts.values(), *membership.former.values()):
        in_use = sealing == known.sealing or signing in (known.signing, *known.signed_with)
        require(not in_use, "keys that are, or were, somebody's")
    granted = {tenant for tenant, grantee in membership.grants if grantee == signer}
    require(granted == {tenant for tenant, _ in resealed} and len(granted) == len(resealed), "grants left out or made up")
    account.signed_with.append(account.signing)
    account.sealing, account.signing, account.slots = sealing, signing, slots
    for tenant, digest in resealed:
        membership.grants[tenant, signer].sealed_digest = digest
    membership.exposed.add("directory")
    _expose(membership, account.roles, 0)
    for tenant in membership.tenants.values():
        tenant.exposed = tenant.exposed or signer in tenant.holders


def _glass_prepared(membership, signer, at, tenant, epoch, custodians):
    require(membership.is_steward(tenant, signer, at), "custodians named without authority")
    known = membership.tenants[tenant]
    named = {account: (keys, share) for account, keys, share in custodians}
    require(epoch == known.epoch.number and len(named) == len(custodians), "custodians of another key, or one of them twice")
    require(not named or 2 <= len(named) <= 16, "too few custodians, or too many")
    for account, (keys, _) in named.items():
        require(account in membership.accounts, "a custodian that does not exist")
        require(membership.accounts[account].keys_digest() == keys, "a custodian with other keys")
    known.custodians = named


def _glass_broken(membership, opener, at, tenant, epoch, until, why, second, sealed_digest, kid, word):
    known = membership.tenants.get(tenant)
    require(known and known.epoch and (epoch, kid) == (known.epoch.number, known.epoch.kid), "glass of another key")
    grant = membership.grants.get((tenant, opener))
    require(grant is None or (grant.expires is not None and at >= grant.expires), "glass broken by who may read")
    require(opener != second and 0 < until - at <= DAY, "glass broken alone, or for too long")
    require(why == why.strip() and 1 <= len(why) <= 500, "glass broken without a reason")
    for account in (opener, second):
        keys, _ = known.custodians.get(account, (None, None))
        require(account in membership.accounts and membership.accounts[account].keys_digest() == keys, "no custodian")
    message = membership.vault + tenant + epoch.to_bytes(8, "big") + opener + until.to_bytes(8, "big", signed=True) + kid
    verify(membership.accounts[second].signing, label("glass") + message + why.encode(), word)
    known.holders.add(opener)
    known.broken.append((opener, second, until, why))
    membership.ended.discard((tenant, opener))
    membership.reported.pop((tenant, opener), None)
    membership.grants[tenant, opener] = Grant(1, until, sealed_digest)


def _vault_moved(membership, _signer, _at, device):
    require(membership.moving is None and device in membership.devices, "moved twice, or from a device that nobody knows")
    membership.moves.append((device, UNDER_WAY))


def _move_taken_back(membership, _signer, _at, device):
    require(membership.moving == device, "a move taken back that is not under way")
    membership.moves[-1] = (device, TAKEN_BACK)


def _cryptoperiods_set(_membership, _signer, _at, days):
    require(len(days) == 7 and all(1 <= period <= 3653 for period in days), "periods out of bounds")


def _backup_made(membership, _signer, _at, counter, manifest_digest):
    newest = max(membership.backups, default=0)
    require(newest < counter <= newest + 1_000_000, "a backup's number that cannot be")
    membership.backups[counter] = manifest_digest


OFFERED = "login contact note server api_key bank_account card identity_document licence custom".split()


def _kind_set(membership, _signer, _at, kind, template_digest):
    require(re.fullmatch("[a-z0-9_]{1,40}", kind) and kind not in OFFERED, "no kind of a vault's own")
    require(kind in membership.kinds or len(membership.kinds) < 200, "too many kinds")
    membership.kinds[kind] = template_digest


def _kind_removed(membership, _signer, _at, kind):
    require(membership.kinds.pop(kind, None), "a kind that is not there is removed")


_NEEDED_ROLES = {
    **dict.fromkeys((DEVICE_ENROLLED, TENANT_CREATED, BACKUP_MADE, KIND_SET, KIND_REMOVED), ADMINISTRATOR),
    **dict.fromkeys((INVITATION_WITHDRAWN, ROLES_SET, ACCOUNT_REMOVED, DIRECTORY_KEYED), ADMINISTRATOR),
    **dict.fromkeys((POLICY_SET, LEAVING_SET, RECOVERY_REPLACED, CRYPTOPERIODS_SET), ADMINISTRATOR),
    **dict.fromkeys((PROVIDER_SET, ACCOUNT_FEDERATED, VAULT_MOVED, MOVE_TAKEN_BACK), ADMINISTRATOR),
    AUDIT_REPLACED: AUDITOR,
    OFFICE_REPLACED: OFFICER,
}
_APPLY = {
    DEVICE_ENROLLED: _device_enrolled,
    TENANT_CREATED: _tenant_created,
    EPOCH_OPENED: _epoch_opened,
    GRANTED: _granted,
    BACKUP_MADE: _backup_made,
    KIND_SET: _kind_set,
    KIND_REMOVED: _kind_removed,
    ACCOUNT_INVITED: _account_invited,
    INVITATION_WITHDRAWN: _invitation_withdrawn,
    ACCOUNT_ENROLLED: _account_enrolled,
    ROLES_SET: _roles_set,
    ACCOUNT_REMOVED: _account_removed,
    GRANT_WITHDRAWN: _grant_withdrawn,
    DIRECTORY_KEYED: _directory_keyed,
    AUDIT_REPLACED: _audit_replaced,
    OFFICE_REPLACED: _office_replaced,
    SLOTS_NAMED: _slots_named,
    POLICY_SET: _policy_set,
    SECOND_FACTOR_STATED: _second_factor_stated,
    LEAVING_SET: _leaving_set,
    EXPOSURE_REPORTED: _exposure_reported,
    PROVIDER_SET: _provider_set,
    ACCOUNT_FEDERATED: _account_federated,
    RECOVERY_REPLACED: _recovery_replaced,
    RECOVERY_ACCEPTED: _recovery_accepted,
    KEY_COMPROMISED: _key_compromised,
    ACCOUNT_REKEYED: _account_rekeyed,
    CRYPTOPERIODS_SET: _cryptoperiods_set,
    GLASS_PREPARED: _glass_prepared,
    GLASS_BROKEN: _glass_broken,
    VAULT_MOVED: _vault_moved,
    MOVE_TAKEN_BACK: _move_taken_back,
}
