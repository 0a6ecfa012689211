"""Signed notes (c2sp.org/signed-note) as far as docs/FORMAT.md §6.5 and §7 use them."""

import base64
import binascii

from .crypto import sha256, verify
from .encoding import id_text
from .refused import Refused, require


def account_signer(account, key):
    return f"coffer/account/{id_text(account)}", key


def device_signer(vault, key):
    return f"coffer/device/{id_text(vault)}", key


def key_id(name, key):
    return sha256(name.encode(), b"\n\x01", key)[:4]


def split(note):
    """Text and signature lines, believed by nobody yet."""
    text, separator, signatures = note.rpartition("\n\n")
    require(separator and signatures.endswith("\n"), "no signed note")
    require(not any(c < " " and c != "\n" for c in note), "control characters in a note")
    lines = signatures[:-1].split("\n")
    require(len(lines) <= 16, "too many signatures")
    return text + "\n", lines


def open_note(note, signers):
    """The text, if one of `signers` (name and key) signed it and no signature of one of them fails."""
    text, lines = split(note)
    known = {(name, key_id(name, key)): key for name, key in signers}
    held = 0
    for line in lines:
        dash, *rest = line.split(" ")
        require(dash == "\u2014" and len(rest) == 2, "no signature line")
        signature = decode_base64(rest[1])
        key = known.get((rest[0], signature[:4]))
        if key:
            verify(key, text.encode(), signature[4:])
            held += 1
    require(held, "signed by nobody who may")
    return text


def decode_base64(text):
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Refused("no base64") from error


def parse_number(text):
    require(text.isascii() and text.isdigit() and str(int(text)) == text, "no number")
    return int(text)
