//! Tokens of an identity provider on the command line: pinning, marking, unlocking from a file and from standard input.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use josekit::jwk::Jwk;
use josekit::jws::{EdDSA, JwsHeader};
use josekit::jwt::{self, JwtPayload};
use serde_json::{Value, json};

use crate::answers::redacted;
use crate::place::{PASSPHRASE, Place};

/// An identity provider whose key set lies in `jwks.json`.
struct Provider(Jwk);

impl Provider {
    fn at(place: &Place) -> Self {
        let key = Jwk::generate_ed_key(josekit::jwk::Ed25519).unwrap();
        let mut public = key.to_public_key().unwrap();
        public.set_key_id("k1");
        fs::write(place.path("jwks.json"), format!("{{\"keys\":[{public}]}}")).unwrap();
        fs::write(place.path("private.json"), format!("{{\"keys\":[{key}]}}")).unwrap();
        Self(key)
    }

    fn mint(&self, id: &str) -> String {
        let millis = coffer_host::system("test").clock.now().unix_millis();
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap());
        let mut payload = JwtPayload::new();
        payload.set_issuer("https://id.example.org");
        payload.set_audience(vec!["coffer"]);
        payload.set_subject("o-17");
        payload.set_jwt_id(id);
        payload.set_issued_at(&now);
        payload.set_expires_at(&(now + Duration::from_mins(5)));
        let mut header = JwsHeader::new();
        header.set_key_id("k1");
        jwt::encode_with_signer(&payload, &header, &EdDSA.signer_from_jwk(&self.0).unwrap()).unwrap()
    }
}

const PINNED: [&str; 9] =
    ["--json", "account", "provider", "set", "--issuer", "https://id.example.org", "--audience", "coffer", "--key-set"];

/// The answer with what is of this key set alone replaced.
fn of_any_key(mut answer: Value) -> Value {
    for name in ["key_set_sha256", "encryption_key"] {
        answer["provider"][name] = json!(format!("[{name}]"));
    }
    redacted(answer)
}

#[test]
fn a_token_comes_from_a_file_or_from_standard_input_and_counts_once() {
    let place = Place::with_vault();
    let provider = Provider::at(&place);
    place.run(&["account", "invite", "otto", "--role", "member", "--code-file", "code.txt"]);
    let activate = ["--vault", "clients.coffer", "--passphrase-file", "pw.txt", "account", "activate"];
    place.run_bare(&[activate.as_slice(), &["--code-file", "code.txt"]].concat());

    assert_eq!(place.run(&["--json", "account", "provider", "show"]).json(), json!({ "provider": null }));
    let marked = ["--json", "account", "federate", "otto", "--subject", "o-17"];
    assert_eq!(place.run(&marked).error(), "no_provider");
    assert_eq!(place.run(&[PINNED.as_slice(), &["private.json"]].concat()).error(), "key_set_secret");
    assert_eq!(place.run(&[PINNED.as_slice(), &["pw.txt"]].concat()).error(), "key_set_malformed");
    let without = place.run(&["--json", "account", "provider", "set", "--days", "3"]);
    assert_eq!((without.code, without.error().as_str()), (Some(2), "usage"));
    let pinned = place.run(&[PINNED.as_slice(), &["jwks.json"]].concat()).json();
    let public: Value = serde_json::from_str(pinned["provider"]["encryption_key"].as_str().unwrap()).unwrap();
    assert_eq!((public["alg"].as_str(), public["use"].as_str()), (Some("ECDH-ES"), Some("enc")));
    insta::assert_json_snapshot!("provider_set", of_any_key(pinned));
    let shorter = place.run(&["--json", "account", "provider", "set", "--days", "3"]).json();
    assert_eq!((&shorter["provider"]["days"], &shorter["provider"]["audience"]), (&json!(3), &json!("coffer")));
    let mut otto = place.run(&marked).json();
    otto["fingerprint"] = json!("[words]");
    insta::assert_json_snapshot!("account_federate", redacted(otto));
    let own = place.run(&["--json", "account", "federate", "ines", "--subject", "i-1"]);
    assert_eq!(own.error(), "last_free_administrator");

    let who = ["--json", "--vault", "clients.coffer", "--login", "otto", "--passphrase-file", "pw.txt"];
    let as_otto = |arguments: &[&str]| place.run_bare(&[who.as_slice(), arguments].concat());
    let needed = as_otto(&["tenant", "list"]);
    assert_eq!((needed.code, needed.error().as_str()), (Some(1), "token_needed"));
    assert!(needed.err.contains("--token-file"), "{needed:?}");
    fs::write(place.path("token"), format!("{}\n", provider.mint("one"))).unwrap();
    assert_eq!(as_otto(&["--token-file", "token", "tenant", "list"]).json(), json!([]));
    assert_eq!(as_otto(&["--token-file", "token", "tenant", "list"]).error(), "token_used");
    assert_eq!(as_otto(&["tenant", "list"]).json(), json!([]));
    let ways = as_otto(&["account", "ways"]).json();
    assert_eq!((&ways["federated"], ways["lease_until"].is_string()), (&json!(true), true));
    fs::write(place.path("token"), "x".repeat(20_000)).unwrap();
    assert_eq!(as_otto(&["--token-file", "token", "tenant", "list"]).error(), "token_malformed");

    // Both from standard input: the passphrase's line first.
    let who = ["--json", "--vault", "clients.coffer", "--login", "otto", "--passphrase-file", "-", "--token-file", "-"];
    let mut child = place
        .coffer(&[who.as_slice(), &["tenant", "list"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    write!(child.stdin.take().unwrap(), "{PASSPHRASE}\n{}\n", provider.mint("two")).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{done:?}");

    // Whose account needs none is told that nothing was looked at.
    assert_eq!(place.run(&["--json", "--token-file", "token", "tenant", "list"]).error(), "token_not_asked_for");
    assert_eq!(place.run(&["--json", "account", "provider", "remove"]).error(), "provider_in_use");
    assert_eq!(place.run(&["--json", "account", "federate", "otto", "--off"]).json()["federated"], false);
    assert_eq!(place.run(&["--json", "account", "provider", "remove"]).json(), json!({ "provider": null }));
    let log = place.run(&["--json", "log", "list", "--limit", "200"]).out;
    for verb in ["provider.pinned", "provider.unpinned", "account.federated", "account.unfederated", "lease.renewed"] {
        assert!(log.contains(verb), "{verb}");
    }
    assert!(!log.contains("o-17") && !log.contains("id.example.org"), "ids and verbs, nothing of a token");
}
