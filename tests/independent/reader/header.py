"""The header (docs/FORMAT.md §3)."""

from .crypto import equal, expand, info, mac
from .encoding import BOOL, BYTES, TEXT, UNSIGNED, Exactly, Optional, decode, encode
from .refused import require

ACCOUNT = (
    Exactly(32),  # look-up value of the login
    Exactly(16),  # account
    [BYTES],  # key slots
    BYTES,  # sealing seed, wrapped
    BYTES,  # signing seed, wrapped
    BYTES,  # sealed state
    Exactly(32),  # MAC under the account's master key
)
INVITATION = (
    Exactly(32),  # look-up value of the activation code
    Exactly(16),  # account
    BYTES,  # the invitation's pin, wrapped
)
HEADER = (
    TEXT,  # "coffer vault"
    UNSIGNED,  # format
    UNSIGNED,  # suite
    Exactly(16),  # vault
    UNSIGNED,  # generation
    Exactly(32),  # salt
    BOOL,  # invented data
    BYTES,  # audit public key
    UNSIGNED,  # generation of the directory key
    BYTES,  # directory key, sealed to recovery
    [(Exactly(16), BYTES)],  # directory key, sealed to accounts and invitations
    Optional((UNSIGNED, Exactly(32))),  # directory.db as it was locked
    [ACCOUNT],
    [INVITATION],
    Exactly(32),  # MAC under a key of the directory
    Optional([Exactly(32)]),  # digests of recovery's shares
)
SLOT = {
    0: Exactly(16),
    1: UNSIGNED,
    2: UNSIGNED,
    3: UNSIGNED,
    4: UNSIGNED,
    5: UNSIGNED,
    6: Exactly(32),
    7: UNSIGNED,
    8: Exactly(112),
}


class Header:
    def __init__(self, data):
        require(len(data) <= 16 * 1024 * 1024, "the header is too large")
        self._members = decode(data, HEADER)
        magic, form, suite, self.vault, self.generation, self.salt, *_ = self._members
        require(magic == "coffer vault" and form == 1 and suite == 1, "no header of format 1")
        self.audit_public_key = self._members[7]
        self.directory_generation = self._members[8]
        self.directory_key_for_recovery = self._members[9]
        self.directory_key_for = dict(self._members[10])
        require(len(self.directory_key_for) == len(self._members[10]), "a directory key sealed twice to one account")
        locked = self._members[11]
        self.directory_root = locked and tuple(locked)
        self.entries = self._members[12]
        self.accounts = [entry[1] for entry in self.entries]
        self.invitations = self._members[13]
        self.share_digests = self._members[15]
        for entry in self.entries:
            for slot in entry[2]:
                check_slot(decode(slot, SLOT))

    def verify(self, directory_key):
        """Checks the MAC over everything; until then nothing of the header is to be believed."""
        key = expand(directory_key, info("header-mac-key", self.vault), 32)
        message = encode([*self._members[:14], bytes(32), *self._members[15:]])
        require(equal(mac(key, "header-mac", message), self._members[14]), "the header was altered")


def check_slot(slot):
    require(slot[1] in (1, 2) and slot[2] == 1 and slot[7] < 4, "an unknown kind of key slot")
    costs_are_bounded = 65_536 <= slot[3] <= 1_048_576 and 3 <= slot[4] <= 16 and 1 <= slot[5] <= 16
    require(costs_are_bounded, "a key slot with costs out of bounds")
