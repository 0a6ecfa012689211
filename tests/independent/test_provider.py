"""Tokens of a real identity provider, npm's oidc-provider on loopback, at which somebody signs in by the code flow."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import LOGIN, Coffer

SIGN_IN = Path(__file__).parent / "provider/sign_in.mjs"


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory):
    home = tmp_path_factory.mktemp("provider")
    coffer = Coffer(home)
    folder, code, keys = home / "p.coffer", home / "code.txt", home / "jwks.json"
    as_ines, as_otto = ("--vault", folder, "--login", LOGIN), ("--vault", folder, "--login", "otto")
    coffer(*as_ines, "vault", "create", "--kit", home / "kit.txt")
    coffer(*as_ines, "account", "invite", "otto", "--role", "member", "--code-file", code)
    coffer("--vault", folder, "account", "activate", "--code-file", code)

    def sign_in(vault_key):
        node = shutil.which("node")
        assert node, "oidc-provider runs on Node"
        done = subprocess.run([node, SIGN_IN, vault_key], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        # Before it, the provider says what a real one would be set up with.
        return json.loads(done.stdout.splitlines()[-1])

    # The vault makes the key that the provider encrypts to when a provider is pinned for the first time.
    keys.write_text(sign_in(json.dumps(ANY_KEY))["key_set"])
    pin = ("account", "provider", "set")
    [before] = coffer(*as_ines, *pin, "--issuer", "http://127.0.0.1", "--audience", "coffer", "--key-set", keys)
    provided = sign_in(before["provider"]["encryption_key"])
    keys.write_text(provided["key_set"])
    coffer(*as_ines, *pin, "--issuer", provided["issuer"], "--key-set", keys)
    coffer(*as_ines, "account", "federate", "otto", "--subject", "o-17")

    def bring(which, audience, expect=0):
        coffer(*as_ines, *pin, "--audience", audience)
        token = home / "token"
        token.write_text(provided["tokens"][which])
        return coffer(*as_otto, "--token-file", token, "tenant", "list", expect=expect)

    return bring


# RFC 7515, appendix A.3.
ANY_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "use": "enc",
    "alg": "ECDH-ES",
}


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_of_each_algorithm_lets_its_person_in_once(signed_in, algorithm):
    assert signed_in(algorithm, f"coffer-{algorithm}") == [[]]
    signed_in(algorithm, f"coffer-{algorithm}", expect=1)


def test_an_encrypted_token_lets_its_person_in_once(signed_in):
    assert signed_in("encrypted", "coffer-encrypted") == [[]]
    signed_in("encrypted", "coffer-encrypted", expect=1)


def test_a_token_for_another_client_or_of_another_person_lets_nobody_in(signed_in):
    signed_in("elsewhere", "coffer-ES256", expect=1)
    signed_in("somebody", "coffer-ES256", expect=1)
