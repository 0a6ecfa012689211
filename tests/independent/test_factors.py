"""What an account asks for besides its passphrase: a key file, a personal recovery code, a second factor; and the rules."""

import hashlib
import hmac
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from conftest import LOGIN, PASSPHRASE, Coffer
from reader.account import UnlockedAccount
from reader.crypto import info, sha256
from reader.refused import Refused
from reader.vault import Vault

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass
class Factors:
    folder: Path
    kit: str
    key_file: bytes
    personal: str
    seed: bytes
    spare: list


def from_base32(text, alphabet):
    bits = "".join(f"{alphabet.index(character):05b}" for character in text)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))


def totp(seed, at):
    """RFC 6238, by its text."""
    digest = hmac.digest(seed, int(at // 30).to_bytes(8, "big"), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"


def wait_for(path):
    for _ in range(600):
        if path.exists() and path.stat().st_size:
            return path.read_text()
        time.sleep(0.1)
    raise AssertionError(f"{path} did not come")


@pytest.fixture(scope="module")
def factors(tmp_path_factory):
    home = tmp_path_factory.mktemp("factors")
    coffer = Coffer(home)
    folder, kit, key_file, personal = home / "f.coffer", home / "kit.txt", home / "ines.key", home / "personal.txt"
    as_ines = ("--vault", folder, "--login", LOGIN)
    coffer(*as_ines, "vault", "create", "--kit", kit)
    same = ("--new-passphrase-file", coffer.passphrase)
    coffer(*as_ines, "account", "factors", "--new-key-file", key_file, *same)
    with_file = (*as_ines, "--key-file", key_file)
    coffer(*as_ines, "tenant", "list", expect=1)
    coffer(*with_file, "account", "personal-code", "--code-file", personal)

    seed_file, code_file = home / "seed.txt", home / "code.txt"
    command = [coffer.program, "--json", "--passphrase-file", coffer.passphrase, *map(str, with_file)]
    command += ["account", "second-factor", "enrol", "--seed-file", seed_file, "--confirm-from", code_file]
    enrolling = subprocess.Popen(command, env=coffer.environment, stdout=subprocess.PIPE, text=True)
    uri = urlparse(wait_for(seed_file))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    seed = from_base32(parse_qs(uri.query)["secret"][0], BASE32)
    code_file.write_text(totp(seed, time.time()) + "\n")
    answer, _ = enrolling.communicate(timeout=120)
    assert enrolling.returncode == 0 and not seed_file.exists()
    spare = json.loads(answer)["spare_codes"]
    coffer(*with_file, "tenant", "list", expect=1)
    coffer(*with_file, "--code", spare[0], "tenant", "list")
    coffer(*with_file, "--code", spare[0], "tenant", "list", expect=1)
    coffer(*with_file, "--code", spare[1], "policy", "set", "--second-factor", "administrator", "--step-up", "reveal")
    return Factors(folder, kit.read_text(encoding="utf-8"), key_file.read_bytes(), personal.read_text(), seed, spare)


def test_the_key_file_is_key_material(factors, tmp_path):
    vault = Vault(factors.folder, factors.kit, tmp_path)
    assert len(factors.key_file) == 64
    for wrong in (None, b"x" * 64):
        with pytest.raises(Refused, match="no slot opens"):
            UnlockedAccount(vault.header, LOGIN, PASSPHRASE, wrong)
    UnlockedAccount(vault.header, LOGIN, PASSPHRASE, factors.key_file).require_of(vault.membership)


def test_the_personal_code_opens_a_slot_of_its_own(factors, tmp_path):
    vault = Vault(factors.folder, factors.kit, tmp_path)
    text = factors.personal.strip()
    assert [len(group) for group in text.split(" ")] == [5] * 8
    account = UnlockedAccount(vault.header, LOGIN, text, kind=2)
    account.require_of(vault.membership)
    assert len(vault.membership.accounts[account.id].slots) == 2
    with pytest.raises(Refused, match="no slot opens"):
        UnlockedAccount(vault.header, LOGIN, PASSPHRASE, factors.key_file, kind=2)


def test_what_the_account_remembers_of_its_second_factor(factors, tmp_path):
    vault = Vault(factors.folder, factors.kit, tmp_path)
    account = UnlockedAccount(vault.header, LOGIN, factors.personal.strip(), kind=2)
    seed, last_step, spare = account.state[9]
    assert seed == factors.seed and abs(last_step - time.time() / 30) < 60
    # The four characters of each group that carry data; two have served.
    raw = [from_base32("".join(group[:4] for group in code.split(" ")), CROCKFORD) for code in factors.spare]
    assert spare == [sha256(info("spare-code", account.id, code)) for code in raw[2:]]
    assert vault.membership.accounts[account.id].second_factor


def test_the_rules_are_in_the_chain_and_everything_in_the_log(factors, tmp_path):
    vault = Vault(factors.folder, factors.kit, tmp_path)
    assert vault.membership.policy == (1, 1, 0, 0)
    entries = vault.log().entries
    verbs = [entry["verb"] for entry in entries]
    for verb in ("passphrase.changed", "personal_code.made", "second_factor.enrolled", "policy.set"):
        assert verb in verbs
    assert [entry["count"] for entry in entries if entry["verb"] == "spare_code.used"] == [9, 8]
