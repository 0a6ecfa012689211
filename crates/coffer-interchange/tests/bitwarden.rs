//! Bitwarden's JSON export: plain, and protected as Bitwarden's clients protect it.
//! The sample is written after <https://bitwarden.com/help/condition-bitwarden-import/>.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use coffer_interchange::neutral::{Collection, Entry, Loss, LossKind, limits};
use coffer_interchange::source::{self, Format, SourceError, SourceKeys};
use coffer_model::record::FieldType;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const PLAIN: &str = include_str!("data/bitwarden.json");

fn read(text: &str, passphrase: Option<&str>) -> Result<Collection, SourceError> {
    let passphrase = passphrase.map(|text| Zeroizing::new(text.as_bytes().to_vec()));
    source::read(Format::Bitwarden, &mut Cursor::new(text), &SourceKeys { passphrase, key_file: None })
}

fn entry<'c>(collection: &'c Collection, title: &str) -> &'c Entry {
    let mut found = collection.entries.iter().map(|entry| entry.as_ref().unwrap());
    found.find(|entry| entry.content.title() == title).unwrap()
}

fn fields(entry: &Entry) -> Vec<(&str, FieldType, &str)> {
    let fields = entry.content.fields().iter();
    fields.map(|field| (field.name.as_str(), field.field_type, field.value.expose())).collect()
}

#[test]
fn every_kind_of_item_arrives_with_all_it_holds() {
    use FieldType::{Email, Phone, Secret, Text, Totp, Url};
    let found = source::detect(&mut Cursor::new(PLAIN)).unwrap();
    assert_eq!((found.format, found.secret), (Format::Bitwarden, false));
    let collection = read(PLAIN, None).unwrap();
    assert_eq!(collection.entries.len(), 5);

    let mail = entry(&collection, "Webmail, Zürich");
    let seed = "otpauth://totp/Webmail%2C%20Z%C3%BCrich?secret=JBSWY3DPEHPK3PXP&period=30&digits=6&algorithm=SHA1";
    assert_eq!(
        fields(mail),
        [
            ("User name", Text, "ines@example.org"),
            ("Password", Secret, "third"),
            ("URL", Url, "https://mail.example.org"),
            ("URL 2", Url, "androidapp://org.example.mail"),
            ("One-time password", Totp, seed),
            ("PIN", Secret, "1234"),
            ("Department", Text, "Sales"),
            ("Active", Text, "true"),
        ]
    );
    assert_eq!(mail.content.tags(), ["Work/Mail", "favourite"]);
    assert_eq!((mail.content.kind().as_str(), mail.content.notes()), ("login", "line one\nline two"));
    let passwords: Vec<_> = mail.earlier.iter().map(|version| version.content.fields()[1].value.expose()).collect();
    assert_eq!(passwords, ["first", "second"]);
    assert_eq!(mail.earlier[1].made_at, Some("2024-01-01T10:00:00Z".parse().unwrap()), "when the first was replaced");

    let card = entry(&collection, "Company card");
    assert_eq!(card.content.kind().as_str(), "card");
    assert!(fields(card).contains(&("Number", Secret, "4242424242424242")));
    assert!(fields(card).contains(&("Security code", Secret, "123")));
    let person = entry(&collection, "Ines");
    assert!(fields(person).contains(&("E-mail", Email, "ines@example.org")));
    assert!(fields(person).contains(&("Phone", Phone, "+49 40 1234")));
    assert!(fields(person).contains(&("Passport number", Secret, "C01X")));
    let key = entry(&collection, "Deploy key");
    assert_eq!((fields(key)[0].0, fields(key)[0].1, fields(key).len()), ("Private key", Secret, 3));
    assert_eq!(entry(&collection, "Alarm code").content.kind().as_str(), "note");

    let losses: Vec<_> = collection.losses.iter().map(|loss| (loss.entry, loss.what, loss.name.as_str())).collect();
    assert_eq!(
        losses,
        [
            (Some(1), LossKind::Passkey, ""),
            (Some(1), LossKind::Reference, "Same as user"),
            (Some(6), LossKind::TrashedEntry, "Thrown away"),
        ]
    );
}

#[test]
fn the_newest_two_hundred_passwords_are_versions_and_others_losses_that_cost_nothing() {
    const PAST: usize = 20_000;
    let time = |n: usize| format!("2024-01-01T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60);
    // Newest first, as Bitwarden lists them.
    let past = |n: usize| format!("{{\"lastUsedDate\":\"{}\",\"password\":\"p{n}\"}}", time(n));
    let history = (0..PAST).rev().map(past).collect::<Vec<_>>().join(",");
    let notes = "n".repeat(200 * 1024);
    let file = format!(
        "{{\"items\":[{{\"type\":1,\"name\":\"a\",\"notes\":\"{notes}\",\"login\":{{\"password\":\"now\"}},\
         \"passwordHistory\":[{history}]}}]}}"
    );
    let collection = read(&file, None).unwrap();
    let lost = PAST - 200;
    assert_eq!(collection.losses_counted, u64::try_from(lost).unwrap());
    assert_eq!(collection.losses[0], Loss { entry: Some(1), what: LossKind::Version, name: String::new() });
    let earlier = &entry(&collection, "a").earlier;
    assert_eq!((earlier.len(), earlier[0].content.fields()[0].value.expose()), (200, &*format!("p{lost}")));
    assert_eq!(earlier[0].made_at, Some(time(lost - 1).parse().unwrap()), "when the one before was replaced");
}

#[test]
fn more_values_than_an_export_has_are_refused_before_there_is_room_for_them() {
    let begun =
        format!("{{\"items\":[{{\"type\":1,\"name\":\"a\",\"fields\":[{{}}{}]}}]}}", ",{}".repeat(limits::VALUES));
    assert_eq!(read(&begun, None).unwrap_err().code(), "source_too_many");
    // Text is no value.
    let notes = "[{,\\\",".repeat(2_000_000);
    let text = format!("{{\"items\":[{{\"type\":1,\"name\":\"a\",\"notes\":\"{notes}\"}}]}}");
    assert_eq!(read(&text, None).unwrap().entries.len(), 1);
    let items = format!("{{\"items\":[{{\"type\":1}}{}]}}", ",{\"type\":1}".repeat(200_000));
    assert_eq!(read(&items, None).unwrap_err().code(), "source_too_many");
}

/// Protects a text as Bitwarden's clients do, with the key made of the passphrase already.
fn protected(text: &str, key: [u8; 32], parameters: &str) -> String {
    let stretch = Hkdf::<Sha256>::from_prk(&key).unwrap();
    let (mut encryption, mut authentication) = ([0; 32], [0; 32]);
    stretch.expand(b"enc", &mut encryption).unwrap();
    stretch.expand(b"mac", &mut authentication).unwrap();
    let seal = |text: &str| {
        let (iv, mut buffer) = ([9; 16], vec![0; text.len() + 16]);
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        let mode = cbc::Encryptor::<aes::Aes256>::new(&encryption.into(), &iv.into());
        let sealed = mode.encrypt_padded::<Pkcs7>(&mut buffer, text.len()).unwrap().to_vec();
        let mac = Hmac::<Sha256>::new_from_slice(&authentication).unwrap().chain_update(iv).chain_update(&sealed);
        let [iv, sealed, mac] = [&iv[..], &sealed, &mac.finalize().into_bytes()].map(|part| BASE64.encode(part));
        format!("2.{iv}|{sealed}|{mac}")
    };
    format!(
        "{{\"encrypted\":true,\"passwordProtected\":true,{parameters},\"encKeyValidation_DO_NOT_EDIT\":\"{}\",\"data\":\"{}\"}}",
        seal("b1ff5c5f-7d07-4d77-8d3c-7f14f7a7a6b9"),
        seal(text)
    )
}

const SALT: &str = "c2FsdCBvZiBhIHNhbXBsZQ==";

fn with_pbkdf2() -> String {
    let mut key = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"export pass", SALT.as_bytes(), 5_000, &mut key);
    protected(PLAIN, key, &format!("\"salt\":\"{SALT}\",\"kdfType\":0,\"kdfIterations\":5000"))
}

fn with_argon2() -> String {
    let mut key = [0; 32];
    let params = argon2::Params::new(16 * 1024, 3, 4, Some(32)).unwrap();
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_into(b"export pass", &Sha256::digest(SALT), &mut key)
        .unwrap();
    let parameters = "\"kdfType\":1,\"kdfIterations\":3,\"kdfMemory\":16,\"kdfParallelism\":4";
    protected(PLAIN, key, &format!("\"salt\":\"{SALT}\",{parameters}"))
}

#[test]
fn protected_exports_open_with_either_key_derivation() {
    for file in [with_pbkdf2(), with_argon2()] {
        let found = source::detect(&mut Cursor::new(&file)).unwrap();
        assert_eq!((found.format, found.secret), (Format::Bitwarden, true));
        assert_eq!(read(&file, Some("export pass")).unwrap().entries.len(), 5);
        assert_eq!(read(&file, Some("export pas")).unwrap_err().code(), "source_wrong_key");
        assert_eq!(read(&file, None).unwrap_err().code(), "source_needs_key");
    }
}

#[test]
fn absurd_costs_and_unknown_ways_are_refused_before_any_work() {
    let begun = std::time::Instant::now();
    let file = with_pbkdf2();
    for (from, to, code) in [
        ("5000", "4294967295", "source_kdf_too_costly"),
        ("\"kdfType\":0", "\"kdfType\":7", "source_unsupported"),
        ("5000", "0", "source_damaged"),
        ("\"kdfType\":0", "\"kdfType\":1", "source_damaged"),
        ("\"kdfType\":0", "\"kdfType\":1,\"kdfMemory\":4194303,\"kdfParallelism\":1", "source_kdf_too_costly"),
    ] {
        assert_eq!(read(&file.replacen(from, to, 1), Some("export pass")).unwrap_err().code(), code, "{to}");
    }
    assert!(begun.elapsed().as_secs() < 5);
}

#[test]
fn what_cannot_be_opened_here_says_why() {
    let bound = "{\"encrypted\":true,\"encKeyValidation_DO_NOT_EDIT\":\"2.a|b|c\",\"folders\":[],\"items\":[]}";
    assert_eq!(read(bound, Some("x")).unwrap_err().code(), "source_account_bound");
    assert_eq!(read(PLAIN, Some("x")).unwrap_err().code(), "source_not_encrypted");
    assert_eq!(read("{\"items\":3}", None).unwrap_err().code(), "source_damaged");
    assert_eq!(read("{\"items\":[]}", None).unwrap_err().code(), "source_empty");
    let deep = format!("{{\"items\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(&deep, None).unwrap_err().code(), "source_damaged");
}
