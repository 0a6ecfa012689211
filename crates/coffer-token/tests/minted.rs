//! Tokens that another implementation of JOSE mints, and what is refused of them.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::time::{Duration, SystemTime};

use coffer_token::{
    DecryptionKey, Expected, FRESH_SECONDS, KeySet, KeySetError, SKEW_SECONDS, TOKEN_MAX, TokenRefusal, Verified,
    encryption_key_jwk, verify,
};
use josekit::jwe::{ECDH_ES, ECDH_ES_A256KW, JweHeader};
use josekit::jwk::Jwk;
use josekit::jws::alg::hmac::HmacJwsAlgorithm;
use josekit::jws::{ES256, ES384, EdDSA, HS256, JwsHeader, JwsSigner, PS256, RS256, RS512};
use josekit::jwt::{self, JwtPayload};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'static> =
    Expected { issuer: "https://id.example.org", audience: "coffer", claim: "sub", subject: "otto" };

/// A provider's key, by its name in the set.
struct Provider {
    kid: &'static str,
    key: Jwk,
    signer: Box<dyn JwsSigner>,
}

impl Provider {
    fn all() -> Vec<Self> {
        let rsa = Jwk::generate_rsa_key(2048).unwrap();
        let p256 = Jwk::generate_ec_key(josekit::jwk::P_256).unwrap();
        let p384 = Jwk::generate_ec_key(josekit::jwk::P_384).unwrap();
        let edwards = Jwk::generate_ed_key(josekit::jwk::Ed25519).unwrap();
        vec![
            Self { kid: "rs", signer: Box::new(RS256.signer_from_jwk(&rsa).unwrap()), key: rsa.clone() },
            Self { kid: "ps", signer: Box::new(PS256.signer_from_jwk(&rsa).unwrap()), key: rsa },
            Self { kid: "es", signer: Box::new(ES256.signer_from_jwk(&p256).unwrap()), key: p256 },
            Self { kid: "es384", signer: Box::new(ES384.signer_from_jwk(&p384).unwrap()), key: p384 },
            Self { kid: "ed", signer: Box::new(EdDSA.signer_from_jwk(&edwards).unwrap()), key: edwards },
        ]
    }

    fn one() -> Self {
        let key = Jwk::generate_ed_key(josekit::jwk::Ed25519).unwrap();
        Self { kid: "ed", signer: Box::new(EdDSA.signer_from_jwk(&key).unwrap()), key }
    }

    fn public(&self) -> Jwk {
        let mut public = self.key.to_public_key().unwrap();
        public.set_key_id(self.kid);
        public.set_key_use("sig");
        public
    }

    fn mint(&self, payload: &JwtPayload) -> String {
        self.mint_with(payload, |_| {})
    }

    fn mint_with(&self, payload: &JwtPayload, change: impl FnOnce(&mut JwsHeader)) -> String {
        let mut header = JwsHeader::new();
        header.set_token_type("JWT");
        header.set_key_id(self.kid);
        change(&mut header);
        jwt::encode_with_signer(payload, &header, self.signer.as_ref()).unwrap()
    }
}

fn set_of(providers: &[Provider]) -> KeySet {
    KeySet::parse(set_text(providers.iter().map(Provider::public)).as_bytes()).unwrap()
}

fn set_text(keys: impl IntoIterator<Item = Jwk>) -> String {
    let keys: Vec<String> = keys.into_iter().map(|key| key.to_string()).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

fn at(seconds: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap())
}

fn payload() -> JwtPayload {
    let mut payload = JwtPayload::new();
    payload.set_issuer(EXPECTED.issuer);
    payload.set_audience(vec![EXPECTED.audience]);
    payload.set_subject(EXPECTED.subject);
    payload.set_jwt_id("token-1");
    payload.set_issued_at(&at(NOW - 60));
    payload.set_expires_at(&at(NOW + 3_600));
    payload
}

fn changed(change: impl FnOnce(&mut JwtPayload)) -> JwtPayload {
    let mut payload = payload();
    change(&mut payload);
    payload
}

fn check(token: &str, keys: &KeySet) -> Result<Verified, TokenRefusal> {
    verify(token.as_bytes(), keys, None, &EXPECTED, NOW)
}

#[test]
fn every_accepted_algorithm_holds_and_holds_for_no_other_key() {
    let providers = Provider::all();
    let keys = set_of(&providers);
    for provider in &providers {
        let token = provider.mint(&payload());
        let verified = check(&token, &keys).unwrap();
        assert_eq!((verified.issued, verified.dead_from), (NOW - 60, NOW + 3_600 + SKEW_SECONDS), "{}", provider.kid);
        // White space that a file or a terminal brings along.
        assert_eq!(check(&format!(" {token}\r\n"), &keys), Ok(verified));
        for other in Provider::all().iter().filter(|other| other.kid == provider.kid) {
            assert_eq!(check(&token, &set_of(std::slice::from_ref(other))), Err(TokenRefusal::Signature));
        }
    }
}

#[test]
fn the_same_identifier_gives_the_same_digest_and_without_one_the_signed_bytes_do() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let id = |payload: &JwtPayload| check(&provider.mint(payload), &keys).unwrap().id;
    assert_eq!(id(&payload()), id(&changed(|payload| payload.set_expires_at(&at(NOW + 7_200)))));
    assert_ne!(id(&payload()), id(&changed(|payload| payload.set_jwt_id("token-2"))));
    let nameless = changed(|payload| payload.set_claim("jti", None).unwrap());
    assert_eq!(id(&nameless), id(&nameless));
    assert_ne!(id(&nameless), id(&payload()));
}

/// An ECDSA signature has a twin: (r, n − s) holds as well as (r, s).
#[test]
fn the_twin_of_a_signature_is_the_same_token() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let providers = Provider::all();
    let keys = set_of(&providers);
    let provider = providers.iter().find(|provider| provider.kid == "es").unwrap();
    let token = provider.mint(&changed(|payload| payload.set_claim("jti", None).unwrap()));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for place in (0..32).rev() {
        let order = i32::from_str_radix(&ORDER[2 * place..2 * place + 2], 16).unwrap();
        let mut difference = order - i32::from(signature[32 + place]) - borrow;
        borrow = i32::from(difference < 0);
        difference += 256 * borrow;
        signature[32 + place] = u8::try_from(difference).unwrap();
    }
    let twin = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_ne!(twin, token);
    assert_eq!(check(&twin, &keys).unwrap().id, check(&token, &keys).unwrap().id);
}

#[test]
fn unsigned_tokens_and_those_under_a_shared_secret_are_refused() {
    let providers = Provider::all();
    let keys = set_of(&providers);
    let unsigned = {
        let mut header = JwsHeader::new();
        header.set_key_id("rs");
        jwt::encode_unsecured(&payload(), &header).unwrap()
    };
    assert_eq!(check(&unsigned, &keys), Err(TokenRefusal::Algorithm));
    // With the public key as the secret, as it stands in the set and as PEM (RFC 8725 §2.1).
    let rsa = &providers[0];
    let pem = josekit::jwk::alg::rsa::RsaKeyPair::from_jwk(&rsa.key).unwrap().to_pem_public_key();
    let algorithm: HmacJwsAlgorithm = HS256;
    for secret in [pem, rsa.public().to_string().into_bytes()] {
        let signer = algorithm.signer_from_bytes(secret).unwrap();
        let mut header = JwsHeader::new();
        header.set_key_id("rs");
        let token = jwt::encode_with_signer(&payload(), &header, &signer).unwrap();
        assert_eq!(check(&token, &keys), Err(TokenRefusal::Algorithm));
    }
    // Not on the list, though sound.
    let signer = RS512.signer_from_jwk(&rsa.key).unwrap();
    let token = jwt::encode_with_signer(&payload(), &JwsHeader::new(), &signer).unwrap();
    assert_eq!(check(&token, &keys), Err(TokenRefusal::Algorithm));
}

#[test]
fn a_key_serves_only_the_algorithm_it_is_for_and_has_to_be_found() {
    let providers = Provider::all();
    let rsa = &providers[0];
    let mut bound = rsa.public();
    bound.set_algorithm("PS256");
    let keys = KeySet::parse(set_text([bound]).as_bytes()).unwrap();
    assert_eq!(check(&rsa.mint(&payload()), &keys), Err(TokenRefusal::Algorithm));

    let keys = set_of(&providers);
    let unknown = providers[4].mint_with(&payload(), |header| header.set_key_id("gone"));
    assert_eq!(check(&unknown, &keys), Err(TokenRefusal::UnknownKey));
    // Of a key of another kind.
    let crossed = providers[4].mint_with(&payload(), |header| header.set_key_id("rs"));
    assert_eq!(check(&crossed, &keys), Err(TokenRefusal::Algorithm));
    // Without a name the one that fits is taken, if it is only one.
    let nameless =
        |provider: &Provider| jwt::encode_with_signer(&payload(), &JwsHeader::new(), provider.signer.as_ref()).unwrap();
    assert!(check(&nameless(&providers[4]), &keys).is_ok());
    assert_eq!(check(&nameless(&providers[0]), &keys), Err(TokenRefusal::UnknownKey));
}

#[test]
fn demands_other_kinds_and_keys_of_its_own_are_refused() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    for (name, value) in [
        ("crit", r#"["exp"]"#),
        ("b64", "false"),
        ("zip", r#""DEF""#),
        ("jku", r#""https://id.example.org/jwks""#),
        ("x5u", r#""https://id.example.org/x5u""#),
        ("x5c", r#"["AAAA"]"#),
        ("jwk", r#"{"kty":"OKP"}"#),
        ("cty", r#""JWT""#),
        ("typ", r#""at+jwt""#),
        ("typ", r#""logout+jwt""#),
        ("typ", "1"),
    ] {
        let token = with_header(&provider, name, value);
        assert_eq!(check(&token, &keys), Err(TokenRefusal::Kind), "{name} {value}");
    }
    let logout = changed(|payload| payload.set_claim("events", Some(serde_json::json!({}))).unwrap());
    assert_eq!(check(&provider.mint(&logout), &keys), Err(TokenRefusal::Kind));
}

/// Signs a header that no library would write.
fn with_header(provider: &Provider, name: &str, value: &str) -> String {
    let typ = if name == "typ" { "" } else { r#""typ":"JWT","# };
    raw(provider, &format!("{{\"alg\":\"EdDSA\",\"kid\":\"ed\",{typ}\"{name}\":{value}}}"), &payload().to_string())
}

/// Signs what is given, whatever it is.
fn raw(provider: &Provider, header: &str, payload: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = provider.signer.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn names_that_are_there_twice_are_refused_in_header_and_claims() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let header = r#"{"alg":"EdDSA","kid":"ed"}"#;
    assert!(check(&raw(&provider, header, &payload().to_string()), &keys).is_ok());
    let twofold = payload().to_string().replacen('{', r#"{"sub":"ines","#, 1);
    assert_eq!(check(&raw(&provider, header, &twofold), &keys), Err(TokenRefusal::Malformed));
    let twofold = r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#;
    assert_eq!(check(&raw(&provider, twofold, &payload().to_string()), &keys), Err(TokenRefusal::Malformed));
}

#[test]
fn another_issuer_audience_or_person_is_refused() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let refused = |change: fn(&mut JwtPayload)| check(&provider.mint(&changed(change)), &keys).unwrap_err();
    assert_eq!(refused(|payload| payload.set_issuer("https://id.example.org/")), TokenRefusal::Issuer);
    assert_eq!(refused(|payload| payload.set_claim("iss", None).unwrap()), TokenRefusal::Issuer);
    assert_eq!(refused(|payload| payload.set_audience(vec!["other"])), TokenRefusal::Audience);
    assert_eq!(refused(|payload| payload.set_claim("aud", None).unwrap()), TokenRefusal::Audience);
    // For several, and for whom in the end it does not say; or for another one.
    assert_eq!(refused(|payload| payload.set_audience(vec!["coffer", "other"])), TokenRefusal::Audience);
    let party = |payload: &mut JwtPayload, party: &str| payload.set_claim("azp", Some(party.into())).unwrap();
    let for_two = changed(|payload| {
        payload.set_audience(vec!["coffer", "other"]);
        party(payload, "coffer");
    });
    assert!(check(&provider.mint(&for_two), &keys).is_ok());
    let for_other = changed(|payload| party(payload, "other"));
    assert_eq!(check(&provider.mint(&for_other), &keys), Err(TokenRefusal::Audience));
    assert_eq!(refused(|payload| payload.set_subject("Otto")), TokenRefusal::Subject);
    assert_eq!(refused(|payload| payload.set_claim("sub", None).unwrap()), TokenRefusal::Subject);
    let number = payload().to_string().replace(r#""sub":"otto""#, r#""sub":17"#);
    assert!(number.contains(":17"));
    let number = raw(&provider, r#"{"alg":"EdDSA","kid":"ed"}"#, &number);
    assert_eq!(check(&number, &keys), Err(TokenRefusal::Subject));

    let by_mail = Expected { claim: "email", subject: "otto@example.org", ..EXPECTED };
    let mail = |verified: bool| {
        changed(|payload| {
            payload.set_claim("email", Some("otto@example.org".into())).unwrap();
            payload.set_claim("email_verified", Some(verified.into())).unwrap();
        })
    };
    let check = |payload| verify(provider.mint(&payload).as_bytes(), &keys, None, &by_mail, NOW);
    assert!(check(mail(true)).is_ok());
    assert_eq!(check(mail(false)), Err(TokenRefusal::Subject));
}

#[test]
fn a_token_counts_only_in_its_time() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let times = |issued: i64, begins: Option<i64>, expires: i64| {
        let payload = changed(|payload| {
            payload.set_issued_at(&at(issued));
            payload.set_expires_at(&at(expires));
            if let Some(begins) = begins {
                payload.set_not_before(&at(begins));
            }
        });
        check(&provider.mint(&payload), &keys).map(drop)
    };
    assert_eq!(times(NOW + SKEW_SECONDS, None, NOW + 600), Ok(()));
    assert_eq!(times(NOW + SKEW_SECONDS + 1, None, NOW + 600), Err(TokenRefusal::NotYet));
    assert_eq!(times(NOW - 60, Some(NOW + SKEW_SECONDS + 1), NOW + 600), Err(TokenRefusal::NotYet));
    assert_eq!(times(NOW - 600, None, NOW - SKEW_SECONDS + 1), Ok(()));
    assert_eq!(times(NOW - 600, None, NOW - SKEW_SECONDS), Err(TokenRefusal::Expired));
    // However long it says it counts.
    assert_eq!(times(NOW - FRESH_SECONDS, None, NOW + 1_000_000), Ok(()));
    assert_eq!(times(NOW - FRESH_SECONDS - SKEW_SECONDS, None, NOW + 1_000_000), Err(TokenRefusal::Expired));
    assert_eq!(times(NOW, None, NOW), Err(TokenRefusal::Expired));
    for name in ["iat", "exp"] {
        let without = changed(|payload| payload.set_claim(name, None).unwrap());
        assert_eq!(check(&provider.mint(&without), &keys), Err(TokenRefusal::Malformed), "{name}");
    }
}

#[test]
fn what_is_cut_off_or_too_long_is_no_token() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let token = provider.mint(&payload());
    for length in 0..token.len() {
        assert!(check(&token[..length], &keys).is_err(), "{length}");
    }
    assert_eq!(check(&format!("{token}."), &keys), Err(TokenRefusal::Malformed));
    assert_eq!(check(&format!("{token}="), &keys), Err(TokenRefusal::Malformed));
    let long = changed(|payload| payload.set_claim("x", Some("x".repeat(TOKEN_MAX).into())).unwrap());
    assert_eq!(check(&provider.mint(&long), &keys), Err(TokenRefusal::Malformed));
}

#[test]
fn a_token_encrypted_to_the_vault_is_read_and_one_to_anybody_else_is_not() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let vault = key(1);
    let signed = provider.mint(&payload());
    let token = encrypt(&vault, &signed, |_| {});
    let decrypt = |token: &str, key: &DecryptionKey| verify(token.as_bytes(), &keys, Some(key), &EXPECTED, NOW);
    assert_eq!(decrypt(&token, &vault), check(&signed, &keys));
    assert_eq!(decrypt(&token, &key(2)), Err(TokenRefusal::Encryption));
    assert_eq!(check(&token, &keys), Err(TokenRefusal::Encryption));
    // What both sides say of themselves is part of the key.
    let named = encrypt(&vault, &signed, |header| {
        header.set_agreement_partyuinfo(b"provider");
        header.set_agreement_partyvinfo(b"vault");
    });
    assert_eq!(decrypt(&named, &vault), check(&signed, &keys));
    // Anybody can encrypt: what is inside has to be signed.
    let unsigned = encrypt(&vault, &jwt::encode_unsecured(&payload(), &JwsHeader::new()).unwrap(), |_| {});
    assert_eq!(decrypt(&unsigned, &vault), Err(TokenRefusal::Algorithm));
    assert_eq!(decrypt(&encrypt(&vault, &payload().to_string(), |_| {}), &vault), Err(TokenRefusal::Malformed));
    // One layer, not two.
    assert!(decrypt(&encrypt(&vault, &token, |_| {}), &vault).is_err());
    for flipped in [token.len() - 1, token.rfind('.').unwrap() - 1] {
        let mut altered = token.clone().into_bytes();
        altered[flipped] = if altered[flipped] == b'A' { b'Q' } else { b'A' };
        assert!(verify(&altered, &keys, Some(&vault), &EXPECTED, NOW).is_err());
    }
}

#[test]
fn other_ways_of_encrypting_are_refused() {
    let provider = Provider::one();
    let keys = set_of(std::slice::from_ref(&provider));
    let vault = key(1);
    let signed = provider.mint(&payload());
    let refused = |token: String| verify(token.as_bytes(), &keys, Some(&vault), &EXPECTED, NOW).unwrap_err();
    let public = Jwk::from_bytes(encryption_key_jwk(vault.public())).unwrap();
    let mut unbound = public.clone();
    unbound.set_parameter("alg", None).unwrap();

    let mut header = JweHeader::new();
    header.set_content_type("JWT");
    header.set_content_encryption("A256GCM");
    let wrapping = ECDH_ES_A256KW.encrypter_from_jwk(&unbound).unwrap();
    let wrapped = josekit::jwe::serialize_compact(signed.as_bytes(), &header, &wrapping).unwrap();
    assert_eq!(refused(wrapped), TokenRefusal::Algorithm);
    let other = encrypt(&vault, &signed, |header| header.set_content_encryption("A128CBC-HS256"));
    assert_eq!(refused(other), TokenRefusal::Algorithm);
    let compressed = encrypt(&vault, &signed, |header| header.set_compression("DEF"));
    assert_eq!(refused(compressed), TokenRefusal::Kind);
    let untold = encrypt(&vault, &signed, |header| header.set_claim("cty", None).unwrap());
    assert_eq!(refused(untold), TokenRefusal::Kind);
}

fn key(fill: u8) -> DecryptionKey {
    DecryptionKey::generate(&mut |bytes| bytes.fill(fill))
}

fn encrypt(to: &DecryptionKey, content: &str, change: impl FnOnce(&mut JweHeader)) -> String {
    let public = Jwk::from_bytes(encryption_key_jwk(to.public())).unwrap();
    let mut header = JweHeader::new();
    header.set_content_type("JWT");
    header.set_content_encryption("A256GCM");
    change(&mut header);
    let encrypter = ECDH_ES.encrypter_from_jwk(&public).unwrap();
    josekit::jwe::serialize_compact(content.as_bytes(), &header, &encrypter).unwrap()
}

#[test]
fn a_key_set_with_secrets_with_broken_keys_or_with_none_is_not_pinned() {
    let providers = Provider::all();
    let parse = |text: &str| KeySet::parse(text.as_bytes()).map(|set| set.describe().len());
    assert_eq!(parse(&set_text(providers.iter().map(Provider::public))), Ok(5));
    assert_eq!(parse(&set_text([providers[0].key.clone()])), Err(KeySetError::Secret));
    let shared = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#;
    assert_eq!(parse(shared), Err(KeySetError::Secret));
    for text in ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(parse(text), Err(KeySetError::Malformed), "{text}");
    }
    assert_eq!(parse(r#"{"keys":[]}"#), Err(KeySetError::NoKey));
    // For encryption only, of a curve that is not known, for an algorithm that is not accepted: passed over.
    let mut encrypts = providers[0].public();
    encrypts.set_key_use("enc");
    let mut other = providers[0].public();
    other.set_algorithm("RS512");
    let unknown = r#"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}"#;
    assert_eq!(parse(&format!("{{\"keys\":[{encrypts},{other},{unknown}]}}")), Err(KeySetError::NoKey));
    // Twice the same name, a point beside the curve, a modulus too short.
    assert_eq!(parse(&set_text([providers[0].public(), providers[0].public()])), Err(KeySetError::Malformed));
    let coordinate = "A".repeat(43);
    let beside = format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","x":"{coordinate}","y":"{coordinate}"}}]}}"#);
    assert_eq!(parse(&beside), Err(KeySetError::InvalidKey));
    let short = Jwk::generate_rsa_key(1024).unwrap().to_public_key().unwrap();
    assert_eq!(parse(&set_text([short])), Err(KeySetError::InvalidKey));
    assert_eq!(parse(&" ".repeat(coffer_token::KEY_SET_MAX + 1)), Err(KeySetError::TooLarge));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_is_refused_and_nothing_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        text in "[A-Za-z0-9_=-]{0,80}(\\.[A-Za-z0-9_-]{0,80}){0,5}",
        json in r#"\{("(alg|kid|typ|keys|kty|crv|x|y|n|e|epk)":("[A-Za-z0-9]{0,8}"|[0-9]{1,20}|\[\]|\{\}|null),?){0,6}\}"#,
    ) {
        let keys = fixed_set();
        let vault = key(3);
        for token in [&bytes[..], text.as_bytes(), json.as_bytes()] {
            prop_assert!(verify(token, &keys, Some(&vault), &EXPECTED, NOW).is_err());
            let _ = KeySet::parse(token);
        }
    }

    #[test]
    fn no_altered_byte_passes(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (token, keys) = fixed_token();
        let mut altered = token.clone().into_bytes();
        let place = at.index(altered.len());
        prop_assume!(altered[place] != to);
        altered[place] = to;
        // What is trimmed at either end was no part of it.
        prop_assume!(!(to.is_ascii_whitespace() && (place == 0 || place == altered.len() - 1)));
        prop_assert!(verify(&altered, keys, None, &EXPECTED, NOW).is_err());
    }
}

fn fixed_set() -> KeySet {
    // RFC 8037, appendix A.2.
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    KeySet::parse(format!("{{\"keys\":[{key}]}}").as_bytes()).unwrap()
}

fn fixed_token() -> &'static (String, KeySet) {
    static TOKEN: std::sync::OnceLock<(String, KeySet)> = std::sync::OnceLock::new();
    TOKEN.get_or_init(|| {
        let provider = Provider::one();
        let keys = set_of(std::slice::from_ref(&provider));
        (provider.mint(&payload()), keys)
    })
}
