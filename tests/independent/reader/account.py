"""What an account unlocks with its passphrase (docs/FORMAT.md §3, §4.2, §4.3, §4.5)."""

import unicodedata

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from . import crypto
from .crypto import XWing, equal, expand, extract, hmac_sha256, info, label, mac, open_sealed, sha256, u64, unwrap
from .encoding import BYTES, INTEGER, UNSIGNED, Exactly, Optional, decode, encode
from .header import SLOT, check_slot
from .refused import Refused, require

# account, sealing and signing key, time, signature by the activation code
ENROLMENT = (Exactly(16), Exactly(1216), Exactly(32), INTEGER, Exactly(64))
# seed, newest step that has served, digests of the spare codes left (§4.13)
SECOND_FACTOR = (Exactly(20), Optional(UNSIGNED), [Exactly(32)])
# position of the mark, end, latest time seen, tokens that have served: digest, until when they would count
LEASE = (UNSIGNED, INTEGER, INTEGER, [(Exactly(32), INTEGER)])
# founding, chain length and head, least costs, last unlock, log entries and root, failed unlocks, enrolment under way,
# second factor, lease, renewal under way: master key, sealing and signing seed of before
STATE = (
    Exactly(32),
    UNSIGNED,
    Exactly(32),
    (UNSIGNED, UNSIGNED, UNSIGNED),
    Optional(INTEGER),
    UNSIGNED,
    Exactly(32),
    UNSIGNED,
    Optional((ENROLMENT, Exactly(15))),
    Optional(SECOND_FACTOR),
    Optional(LEASE),
    Optional((Exactly(32), BYTES, BYTES)),
)


def prepare(passphrase):
    """RFC 8265 §4.2, OpaqueString, but for its refusals: they matter where a passphrase is chosen."""
    spaces = "".join(" " if unicodedata.category(c) == "Zs" else c for c in passphrase)
    return unicodedata.normalize("NFC", spaces).encode()


class UnlockedAccount:
    def __init__(self, header, login, passphrase, key_file=None, kind=1):
        """`passphrase` is the personal recovery code as it was printed where `kind` is 2."""
        vault = header.vault
        lookup = hmac_sha256(header.salt, label("login-lookup"), login.encode())
        entries = [entry for entry in header.entries if equal(entry[0], lookup)]
        require(len(entries) == 1, "no such login")
        entry = entries[0]
        _, self.id, slots, sealing, signing, state, entry_mac = entry

        master, self.slot = _open_slots(slots, kind, prepare(passphrase), key_file, vault, self.id)
        self.entry_mac_key = key = expand(master, info("account-entry-mac-key", vault, self.id), 32)
        message = encode([*entry[:-1], bytes(32)])
        require(equal(mac(key, "account-entry-mac", message), entry_mac), "the account's entry was altered")

        self.sealing = XWing(unwrap(master, sealing, info("wrap/sealing-seed", vault, self.id)))
        self.signing_seed = unwrap(master, signing, info("wrap/signing-seed", vault, self.id))
        self.signing = crypto.verifying_key(self.signing_seed)
        self.state = decode(unwrap(master, state, info("sealed-state", vault, self.id)), STATE)
        require(self.id in header.directory_key_for, "the directory key is not sealed to the account")
        context = info("seal/directory-key", vault, self.id, u64(header.directory_generation))
        self.directory_key = open_sealed(self.sealing, header.directory_key_for[self.id], context)


    def is_cheap(self):
        """Whether the slot costs less than the account's state asks for (§3.3)."""
        slot = decode(self.slot, SLOT)
        memory, passes, _ = self.state[3]
        return slot[3] < memory or slot[4] < passes

    def require_of(self, membership):
        """Whether the chain has the account, with these keys and the slot that opened (§1.1, step 4)."""
        known = membership.accounts.get(self.id)
        require(known, "an account that the chain does not have, or that left")
        require((self.sealing.public, self.signing) == (known.sealing, known.signing), "an account with other keys")
        require(known.slots is None or sha256(self.slot) in known.slots, "a slot that counts no longer")


def _open_slots(slots, kind, passphrase, key_file, vault, account):
    """The first slot that opens. A change of the passphrase that was stopped leaves two."""
    parsed = [(decode(slot, SLOT), slot) for slot in slots]
    for slot, encoded in parsed:
        try:
            if slot[1] == kind:
                return _open_slot(slot, passphrase, key_file, vault, account), encoded
        except Refused:
            pass
    raise Refused("no slot opens with that passphrase")


def _open_slot(slot, passphrase, key_file, vault, account):
    check_slot(slot)
    identifier, kind, algorithm, memory, passes, lanes, salt, mask, wrapped = (slot[key] for key in range(9))
    require(mask & 1 == 0, "the slot asks for the secret of a device")
    require(mask & 2 == 0 or key_file is not None, "the slot asks for a key file")
    derived = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory).derive(passphrase)
    costs = sha256(info("kdf-params", u64(algorithm), u64(memory), u64(passes), u64(lanes)))
    context = info("slot-key", vault, account, identifier, u64(mask), costs)
    of_file = sha256(key_file) if mask & 2 else bytes(32)
    slot_key = expand(extract(b"", derived + bytes(32) + of_file), context, 32)
    return unwrap(slot_key, wrapped, info("wrap/account-master-key", vault, account, identifier, u64(kind)))
