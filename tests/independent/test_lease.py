"""An account that needs an identity provider's tokens (docs/FORMAT.md §3.3, §4.15, §5.8), which are minted here."""

import base64
import json
import os
import time

import pytest
from conftest import LOGIN, PASSPHRASE, Coffer
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from reader.account import UnlockedAccount
from reader.crypto import sha256
from reader.vault import Vault

SUBJECT = "o-17"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def jwk(key, **more):
    numbers = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32)), **more}


class Provider:
    """An identity provider that signs by ES256."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.key_set = json.dumps({"keys": [jwk(self.key.public_key(), kid="k1", use="sig")]}).encode()

    def mint(self, token_id, subject=SUBJECT, **claims):
        now = int(time.time())
        claims = {"iss": "https://id.example.org", "aud": "coffer", "sub": subject, "iat": now, "exp": now + 300} | claims
        claims |= {"jti": token_id} if token_id else {}
        signed = b64(json.dumps({"alg": "ES256", "kid": "k1"}).encode()) + "." + b64(json.dumps(claims).encode())
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return signed + "." + b64(r.to_bytes(32) + s.to_bytes(32))


def encrypt(token, to):
    """RFC 7518 §4.6, ECDH-ES and A256GCM."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(unb64(to["x"])), int.from_bytes(unb64(to["y"])), ec.SECP256R1()
    )
    ephemeral = ec.generate_private_key(ec.SECP256R1())
    shared = ephemeral.exchange(ec.ECDH(), numbers.public_key())
    name = b"A256GCM"
    other = len(name).to_bytes(4) + name + bytes(8) + (256).to_bytes(4)
    key = ConcatKDFHash(hashes.SHA256(), 32, other).derive(shared)
    header = {"alg": "ECDH-ES", "enc": "A256GCM", "cty": "JWT", "epk": jwk(ephemeral.public_key())}
    protected, nonce = b64(json.dumps(header).encode()), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, token.encode(), protected.encode())
    return ".".join((protected, "", b64(nonce), b64(sealed[:-16]), b64(sealed[-16:])))


@pytest.fixture(scope="module")
def leased(tmp_path_factory):
    home = tmp_path_factory.mktemp("leased")
    coffer, provider = Coffer(home), Provider()
    folder, kit, code = home / "l.coffer", home / "kit.txt", home / "code.txt"
    as_ines, as_otto = ("--vault", folder, "--login", LOGIN), ("--vault", folder, "--login", "otto")
    coffer(*as_ines, "vault", "create", "--kit", kit)
    coffer(*as_ines, "account", "invite", "otto", "--role", "member", "--code-file", code)
    coffer("--vault", folder, "account", "activate", "--code-file", code)
    keys, token = home / "jwks.json", home / "token"
    keys.write_bytes(provider.key_set)
    issued = ("--issuer", "https://id.example.org", "--audience", "coffer", "--key-set", keys, "--days", 5)
    [pinned] = coffer(*as_ines, "account", "provider", "set", *issued)
    coffer(*as_ines, "account", "federate", "otto", "--subject", SUBJECT)
    coffer(*as_otto, "tenant", "list", expect=1)
    public = json.loads(pinned["provider"]["encryption_key"])
    tokens = [provider.mint("one"), encrypt(provider.mint("two"), public), provider.mint(None)]
    for text in tokens:
        token.write_text(text + "\n")
        coffer(*as_otto, "--token-file", token, "tenant", "list")
        coffer(*as_otto, "--token-file", token, "tenant", "list", expect=1)
    coffer(*as_otto, "tenant", "list")
    return folder, kit.read_text(encoding="utf-8"), provider, tokens


def test_the_provider_and_the_mark_are_in_the_chain(leased, tmp_path):
    folder, kit, provider, _ = leased
    vault = Vault(folder, kit, tmp_path)
    issuer, audience, claim, days, key_set, encryption = vault.membership.provider
    assert (issuer, audience, claim, days) == ("https://id.example.org", "coffer", "sub", 5)
    assert key_set == sha256(provider.key_set) and encryption[0] == 4
    marked = {account.login: account.federation for account in vault.membership.accounts.values()}
    assert marked == {LOGIN: None, "otto": (SUBJECT, len(vault.membership.heads) - 1)}
    verbs = [entry["verb"] for entry in vault.log().entries]
    assert verbs.count("lease.renewed") == 3 and "provider.pinned" in verbs and "account.federated" in verbs


def test_the_account_remembers_the_end_of_its_lease_and_digests_of_its_tokens(leased, tmp_path):
    folder, kit, _, tokens = leased
    vault = Vault(folder, kit, tmp_path)
    account = UnlockedAccount(vault.header, "otto", PASSPHRASE)
    mark, until, seen, used = account.state[10]
    assert mark == vault.membership.accounts[account.id].federation[1]
    now = time.time() * 1000
    assert abs(until - now - 5 * 86_400_000) < 120_000 and abs(seen - now) < 120_000
    signed = tokens[2].rsplit(".", 1)[0].encode()
    assert [digest for digest, _ in used] == [sha256(b"\x01one"), sha256(b"\x01two"), sha256(b"\x00" + signed)]
    assert all(abs(dead_from - now - 360_000) < 120_000 for _, dead_from in used)
