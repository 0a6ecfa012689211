"""Activation codes and invitations (docs/FORMAT.md §3.4, §4.12)."""

from . import crypto
from .crypto import XWing, equal, expand, extract, info, label, open_sealed, u64, unwrap
from .encoding import UNSIGNED, Exactly, decode
from .kit import read_groups
from .refused import require

GROUPS = 6
# account, founding statement, length and head of the chain
PIN = (Exactly(16), Exactly(32), UNSIGNED, Exactly(32))


def parse_code(text):
    return int(read_groups(text, GROUPS), 2).to_bytes(15, "big")


class ActivationKeys:
    def __init__(self, code, vault):
        self.key = extract(label("activation/key"), code)
        self.lookup = expand(self.key, info("activation/lookup", vault), 32)
        self.sealing = XWing(expand(self.key, info("activation/sealing-seed", vault), 32))
        self.signing_seed = expand(self.key, info("activation/signing-seed", vault), 32)
        self.signing = crypto.verifying_key(self.signing_seed)


class OpenedInvitation:
    """What a code alone opens: the account it is for, the chain it vouches for, the directory key."""

    def __init__(self, header, text):
        self.keys = ActivationKeys(parse_code(text), header.vault)
        found = [entry for entry in header.invitations if equal(entry[0], self.keys.lookup)]
        require(len(found) == 1, "no invitation of that code")
        _, account, sealed = found[0]
        pin = decode(unwrap(self.keys.key, sealed, info("invitation", header.vault)), PIN)
        self.account, self.founding, self.chain_length, self.chain_head = pin
        require(self.account == account, "the invitation of another account")
        require(account in header.directory_key_for, "an invitation that has expired")
        context = info("seal/directory-key", header.vault, account, u64(header.directory_generation))
        self.directory_key = open_sealed(self.keys.sealing, header.directory_key_for[account], context)
        header.verify(self.directory_key)


def vouched(vault, account, at, sealing, signing):
    """What the code's Ed25519 key signs (§4.12)."""
    return vault + account + at.to_bytes(8, "big", signed=True) + sealing + signing
