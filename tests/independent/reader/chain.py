"""The membership chain (docs/FORMAT.md §5.8)."""

import re
from dataclasses import dataclass, field

from .crypto import check_verifying_key, label, sha256, verify
from .encoding import BOOL, BYTES, INTEGER, TEXT, UNSIGNED, Exactly, OneOf, Optional, decode
from .refused import require

ID, HASH, PUBLIC_KEY = Exactly(16), Exactly(32), Exactly(1216)
FOUNDING, DEVICE_ENROLLED, TENANT_CREATED, EPOCH_OPENED, GRANTED, BACKUP_MADE = range(6)
KIND_SET, KIND_REMOVED = 6, 7
BODIES = OneOf(
    {
        # suite, account, login, sealing and signing key of the account, of recovery; audit and office key; age recipient
        FOUNDING: (UNSIGNED, ID, TEXT, PUBLIC_KEY, HASH, PUBLIC_KEY, HASH, PUBLIC_KEY, PUBLIC_KEY, HASH),
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
    }
)
# vault, position, hash of the statement before, time, replica, signer, body
STATEMENT = (ID, UNSIGNED, HASH, INTEGER, ID, ID, BODIES)
STEWARD = 3


@dataclass
class Account:
    login: str
    sealing: bytes
    signing: bytes

    def keys_digest(self):
        return sha256(self.sealing, self.signing)


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
    first_steward: bytes
    demo: bool
    epoch: Epoch | None = None


@dataclass
class Grant:
    right: int
    expires: int | None
    sealed_digest: bytes


@dataclass
class Membership:
    """What a chain comes to."""

    vault: bytes
    audit: bytes
    office: bytes
    recovery_sealing: bytes
    recovery_signing: bytes
    recovery_age: bytes
    accounts: dict = field(default_factory=dict)
    tenants: dict = field(default_factory=dict)
    grants: dict = field(default_factory=dict)  # by tenant and account
    devices: list = field(default_factory=list)
    backups: dict = field(default_factory=dict)  # digest of the manifest by counter
    kinds: dict = field(default_factory=dict)  # digest of the template by kind
    heads: list = field(default_factory=list)  # hash of each statement

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
    suite, account, login, sealing, signing, recovery_sealing, recovery_signing, audit, office, recovery_age = body
    require(suite == 1 and signer == account, "founded by somebody else, or of an unknown suite")
    check_verifying_key(recovery_signing)
    verify(signing, label("statement") + statement, signature)
    membership = Membership(vault, audit, office, recovery_sealing, recovery_signing, recovery_age)
    membership.accounts[account] = Account(login, sealing, signing)
    membership.heads.append(sha256(statement, signature))
    return membership


def _admit(membership, statement, signature):
    vault, position, previous, at, _replica, signer, (kind, (body,)) = decode(statement, STATEMENT)
    in_place = position == len(membership.heads) and previous == membership.heads[-1]
    require(vault == membership.vault and in_place, "a statement out of place")
    require(signer in membership.accounts, "signed by nobody of this vault")
    verify(membership.accounts[signer].signing, label("statement") + statement, signature)
    require(kind in _APPLY, "a vault is founded once")
    _APPLY[kind](membership, signer, at, *body)
    membership.heads.append(sha256(statement, signature))


# In format 1 the founder is the only account and has every role, so every signer is an administrator.


def _device_enrolled(membership, _signer, _at, signing):
    check_verifying_key(signing)
    membership.devices.append(signing)


def _tenant_created(membership, _signer, _at, tenant, steward, demo):
    require(steward in membership.accounts and tenant not in membership.tenants, "a tenant that cannot be created")
    membership.tenants[tenant] = Tenant(steward, demo)


def _epoch_opened(membership, signer, _at, tenant, number, kid, file, *digests):
    known = membership.tenants.get(tenant)
    require(known and not known.epoch and number == 1 and signer == known.first_steward, "an epoch without authority")
    known.epoch = Epoch(number, kid, file, *digests)


def _granted(membership, signer, at, tenant, number, grantee, keys_digest, right, expires, sealed_digest, kid):
    known = membership.tenants.get(tenant)
    require(known and known.epoch and grantee in membership.accounts, "a grant of or to what does not exist")
    own = membership.grants.get((tenant, signer))
    by_steward = own and own.right == STEWARD and (own.expires is None or at < own.expires)
    first = not any(granted == tenant for granted, _ in membership.grants)
    to_first_steward = first and signer == known.first_steward == grantee
    require(by_steward or to_first_steward, "a grant without authority")
    require(number == known.epoch.number and kid == known.epoch.kid, "a grant of another key")
    require(keys_digest == membership.accounts[grantee].keys_digest(), "a grant to other keys")
    require(right in (1, 2, STEWARD), "an unknown right")
    membership.grants[tenant, grantee] = Grant(right, expires, sealed_digest)


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


_APPLY = {
    DEVICE_ENROLLED: _device_enrolled,
    TENANT_CREATED: _tenant_created,
    EPOCH_OPENED: _epoch_opened,
    GRANTED: _granted,
    BACKUP_MADE: _backup_made,
    KIND_SET: _kind_set,
    KIND_REMOVED: _kind_removed,
}
