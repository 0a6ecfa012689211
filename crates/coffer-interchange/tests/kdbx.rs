//! KDBX: files that KeePassXC made, files it makes now where it is installed, and ours opened by it.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use coffer_interchange::export::{ExportAttachment, ExportLoss, ExportLosses, ExportRecord, ExportVersion, KdbxWriter};
use coffer_interchange::neutral::{Collection, Entry, LossKind};
use coffer_interchange::source::{self, Format, SourceError, SourceKeys};
use coffer_model::record::{FieldDraft, FieldType, RecordContent, RecordDraft, RecordKind, limits};
use coffer_model::time::Timestamp;
use zeroize::Zeroizing;

/// Made by `keepassxc-cli` 2.7.4: passphrase and key file, AES-KDF, a history, an attachment, an entry in the bin.
const MADE: &[u8] = include_bytes!("data/keepassxc.kdbx");
const KEY_FILE: &[u8] = include_bytes!("data/keepassxc.keyx");
const PASSPHRASE: &str = "harbour 58";

fn keys(passphrase: Option<&str>, key_file: Option<&[u8]>) -> SourceKeys {
    let erased = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    SourceKeys { passphrase: passphrase.map(|text| erased(text.as_bytes())), key_file: key_file.map(erased) }
}

fn read(file: &[u8], keys: &SourceKeys) -> Result<Collection, SourceError> {
    source::read(Format::Kdbx, &mut Cursor::new(file), keys)
}

fn entry<'c>(collection: &'c Collection, title: &str) -> &'c Entry {
    let mut found = collection.entries.iter().map(|entry| entry.as_ref().unwrap());
    found.rfind(|entry| entry.content.title() == title).unwrap()
}

fn value<'c>(content: &'c RecordContent, name: &str) -> (&'c str, FieldType) {
    let field = content.fields().iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}"));
    (field.value.expose(), field.field_type)
}

#[test]
fn everything_in_a_file_of_keepassxc_arrives() {
    let found = source::detect(&mut Cursor::new(MADE)).unwrap();
    assert_eq!((found.format, found.secret), (Format::Kdbx, true));
    let collection = read(MADE, &keys(Some(PASSPHRASE), Some(KEY_FILE))).unwrap();
    assert_eq!(collection.entries.len(), 2);

    let mail = entry(&collection, "Webmail \"old\", Zürich");
    assert_eq!(mail.content.kind().as_str(), "login");
    assert_eq!(value(&mail.content, "User name"), ("ines@example.org", FieldType::Text));
    assert_eq!(value(&mail.content, "Password"), ("second pass", FieldType::Secret));
    assert_eq!(value(&mail.content, "URL"), ("https://mail.example.org/?a=1", FieldType::Url));
    assert!(mail.changed_at.is_some());
    let before = mail.earlier.last().unwrap();
    assert_eq!(value(&before.content, "Password").0, "a\"b,c;d  ");
    assert!(before.made_at.unwrap() <= mail.changed_at.unwrap());
    assert_eq!(mail.attachments[0].name, "runbook.txt");
    assert_eq!(mail.attachments[0].bytes.as_slice(), b"attached text\n");

    let other = entry(&collection, "日本語 🔑");
    assert_eq!(other.content.tags(), ["Banking/Savings"]);
    assert_eq!((other.content.notes(), value(&other.content, "Password").0), ("first line\nsecond", "пароль"));
    let binned: Vec<_> = collection.losses.iter().filter(|loss| loss.what == LossKind::TrashedEntry).collect();
    assert_eq!((binned.len(), binned[0].name.as_str()), (1, "Trashed one"));
}

/// Made by `keepassxc-cli import` 2.7.4, which writes version 3.1: passphrase, a seed, a history, an attachment.
const OLDER: &[u8] = include_bytes!("data/keepassxc3.kdbx");

#[test]
fn everything_in_an_older_file_of_keepassxc_arrives() {
    let collection = read(OLDER, &keys(Some(PASSPHRASE), None)).unwrap();
    assert_eq!(collection.entries.len(), 3);
    let mail = entry(&collection, "Webmail \"old\", Zürich");
    assert_eq!(value(&mail.content, "Password"), ("new", FieldType::Secret));
    assert_eq!(value(&mail.earlier.last().unwrap().content, "Password").0, "a\"b,c;d  ");
    let (seed, field_type) = value(&mail.content, "One-time password");
    assert!(field_type == FieldType::Totp && seed.contains("secret=JBSWY3DPEHPK3PXP"), "{seed}");
    assert_eq!(mail.attachments[0].bytes.as_slice(), b"attached text\n");
    assert_eq!(entry(&collection, "日本語 🔑").content.tags(), ["Banking"]);

    let refused = |file: &[u8], passphrase| read(file, &keys(passphrase, None)).unwrap_err().code();
    assert_eq!(refused(OLDER, None), "source_needs_key");
    assert_eq!(refused(OLDER, Some("harbour 59")), "source_wrong_key");
    let last_block = OLDER.len() - 200;
    let bent = [&OLDER[..last_block], &[OLDER[last_block] ^ 1], &OLDER[last_block + 1..]].concat();
    assert_eq!(refused(&bent, Some(PASSPHRASE)), "source_damaged");
}

#[test]
fn a_missing_or_wrong_key_is_told_apart_from_damage() {
    let refused = |keys: &SourceKeys| read(MADE, keys).unwrap_err().code();
    assert_eq!(refused(&SourceKeys::default()), "source_needs_key");
    assert_eq!(refused(&keys(Some(PASSPHRASE), None)), "source_wrong_key");
    assert_eq!(refused(&keys(Some("harbour 59"), Some(KEY_FILE))), "source_wrong_key");
    assert_eq!(refused(&keys(None, Some(KEY_FILE))), "source_wrong_key");
    let mut old = MADE.to_vec();
    old[10] = 2;
    assert_eq!(read(&old, &SourceKeys::default()).unwrap_err().code(), "source_other_version");
    let cut = &MADE[..MADE.len() - 1];
    assert_eq!(read(cut, &keys(Some(PASSPHRASE), Some(KEY_FILE))).unwrap_err().code(), "source_damaged");
}

/// Two versions, every type of field, and texts that XML and KeePass make trouble with.
fn sample() -> ExportRecord {
    let field = |name: &str, field_type, value: &str| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let content = |password: &str, previous: Option<&RecordContent>| {
        let mut draft = RecordDraft {
            kind: "login".parse().unwrap(),
            title: "Gate <&> \"北\" 🔑".to_owned(),
            fields: vec![
                field("User name", FieldType::Text, "svc_gate"),
                field("Password", FieldType::Secret, password),
                field("URL", FieldType::Url, "https://gate.example/?a=1&b=2"),
                field("Title", FieldType::Text, "reserved name"),
                field("PIN", FieldType::Secret, "=1+1\n\u{1b}[0m"),
                field("Mail", FieldType::Email, "gate@example.org"),
                field(
                    "One-time password",
                    FieldType::Totp,
                    "otpauth://totp/Gate?secret=JBSWY3DPEHPK3PXP&period=30&digits=6",
                ),
                field("Expires", FieldType::Expiry, "2031-02-03"),
            ],
            tags: vec!["db".to_owned(), "eu".to_owned()],
            notes: "first\r\nsecond ]]> \u{1} end".to_owned(),
        };
        for field in &mut draft.fields {
            let known = previous.and_then(|before| before.fields().iter().find(|known| known.name == field.name));
            field.id = known.map(|known| known.id);
        }
        RecordContent::parse(draft, previous).unwrap()
    };
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let first = content("  one ", None);
    let second = content("two", Some(&first));
    let attached =
        |name: &str, file, attached, detached| ExportAttachment { name: name.to_owned(), file, attached, detached };
    ExportRecord {
        key: *b"0123456789abcdef",
        created_at: at("2024-02-01T10:00:00Z"),
        versions: vec![
            ExportVersion { number: 1, content: first, made_at: at("2024-02-01T10:00:00Z") },
            ExportVersion { number: 2, content: second, made_at: at("2025-03-01T11:30:00Z") },
        ],
        attachments: vec![
            attached("<plan> & \"more\".txt", Some(1), 2, None),
            attached("empty", Some(0), 1, None),
            attached("gone.txt", Some(1), 1, Some(2)),
            attached("film.bin", None, 2, None),
        ],
    }
}

fn written(passphrase: &str) -> Vec<u8> {
    let mut counter = 0_u8;
    let mut random = |bytes: &mut [u8]| {
        for byte in bytes {
            counter = counter.wrapping_mul(31).wrapping_add(7);
            *byte = counter;
        }
    };
    let at = "2026-11-28T00:00:00Z".parse().unwrap();
    let mut writer = KdbxWriter::new(Vec::new(), &keys(Some(passphrase), None), "ACME & Co", at, &mut random).unwrap();
    for bytes in [&b""[..], b"north\0gate"] {
        let length = bytes.len().try_into().unwrap();
        writer.push_file(length, |out| out.write_all(bytes).map_err(SourceError::from)).unwrap();
    }
    writer.push(&sample()).unwrap();
    let (file, losses) = writer.finish().unwrap();
    assert_eq!(losses.get(&ExportLoss::FieldTypes), Some(&1));
    assert_eq!(losses.get(&ExportLoss::Attachments), Some(&1));
    file
}

#[test]
fn what_is_exported_is_imported_again_with_its_history() {
    let collection = read(&written("harbour"), &keys(Some("harbour"), None)).unwrap();
    let sample = sample();
    let entry = entry(&collection, "Gate <&> \"北\" 🔑");
    assert_eq!((entry.earlier.len(), entry.changed_at), (1, Some(sample.versions[1].made_at)));
    assert_eq!(entry.earlier[0].made_at, Some(sample.versions[0].made_at));
    assert_eq!(value(&entry.earlier[0].content, "Password").0, "  one ");
    for (name, expected) in [
        ("User name", "svc_gate"),
        ("Password", "two"),
        ("URL", "https://gate.example/?a=1&b=2"),
        ("Title (field)", "reserved name"),
        ("PIN", "=1+1\n\u{1b}[0m"),
        ("Mail", "gate@example.org"),
        ("Expires", "2031-02-03"),
        // Protected, since XML cannot hold one of its characters.
        ("Notes", "first\r\nsecond ]]> \u{1} end"),
    ] {
        assert_eq!(value(&entry.content, name).0, expected, "{name}");
    }
    assert!(value(&entry.content, "One-time password").0.starts_with("otpauth://totp/Gate?secret=JBSWY3DPEHPK3PXP"));
    assert_eq!(entry.content.tags(), ["db", "eu"]);
    let files: Vec<_> = entry.attachments.iter().map(|file| (file.name.as_str(), file.bytes.as_slice())).collect();
    assert_eq!(files, [("<plan> & \"more\".txt", &b"north\0gate"[..]), ("empty", b"")]);
}

/// Writes records, none of them with a file's content but one, and gives what was lost.
fn exported(records: &[ExportRecord]) -> (Vec<u8>, ExportLosses) {
    let at = Timestamp::UNIX_EPOCH;
    let mut writer = KdbxWriter::new(Vec::new(), &keys(Some("x"), None), "n", at, &mut |bytes| bytes.fill(1)).unwrap();
    writer.push_file(5, |out| out.write_all(b"north").map_err(SourceError::from)).unwrap();
    for record in records {
        writer.push(record).unwrap();
    }
    writer.finish().unwrap()
}

/// A record with one field, whose versions have these numbers.
fn numbered(title: &str, numbers: &[u32], attachments: Vec<ExportAttachment>) -> ExportRecord {
    let version = |&number: &u32| {
        let draft = RecordDraft {
            kind: "note".parse().unwrap(),
            title: title.to_owned(),
            fields: vec![],
            tags: vec![],
            notes: number.to_string(),
        };
        let content = RecordContent::parse(draft, None).unwrap();
        ExportVersion { number, content, made_at: Timestamp::UNIX_EPOCH }
    };
    let versions = numbers.iter().map(version).collect();
    ExportRecord { key: [1; 16], created_at: Timestamp::UNIX_EPOCH, versions, attachments }
}

#[test]
fn attachments_go_out_with_the_versions_that_have_them_where_others_were_erased() {
    let attached = |name: &str, file, attached, detached| {
        vec![ExportAttachment { name: name.to_owned(), file, attached, detached }]
    };
    let (file, losses) = exported(&[
        numbered("still there", &[3], attached("plan.txt", Some(0), 2, None)),
        numbered("detached", &[1, 3], attached("gone.txt", Some(0), 1, Some(3))),
        numbered("detached from what is left", &[2, 4], attached("gone.txt", Some(0), 1, Some(2))),
        numbered("not written", &[3], attached("film.bin", None, 3, None)),
    ]);
    assert_eq!(losses.get(&ExportLoss::Attachments), Some(&1));
    let collection = read(&file, &keys(Some("x"), None)).unwrap();
    let files = |title: &str| entry(&collection, title).attachments.len();
    assert_eq!([files("still there"), files("detached"), files("detached from what is left")], [1, 0, 0]);
    let lost: Vec<_> = collection.losses.iter().map(|loss| (loss.entry, loss.name.as_str())).collect();
    assert_eq!(lost, [(Some(2), "gone.txt")], "what the version before the last had");
}

fn with_fields(fields: &[(&str, FieldType, &str)], tags: &[&str]) -> ExportRecord {
    let field = |&(name, field_type, value): &(&str, FieldType, &str)| FieldDraft {
        id: None,
        name: name.to_owned(),
        field_type,
        value: Some(value.into()),
    };
    let draft = RecordDraft {
        kind: "note".parse().unwrap(),
        title: "a".to_owned(),
        fields: fields.iter().map(field).collect(),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        notes: String::new(),
    };
    let content = RecordContent::parse(draft, None).unwrap();
    let versions = vec![ExportVersion { number: 1, content, made_at: Timestamp::UNIX_EPOCH }];
    ExportRecord { key: [1; 16], created_at: Timestamp::UNIX_EPOCH, versions, attachments: vec![] }
}

#[test]
fn a_tag_that_comes_back_as_several_is_a_loss() {
    let (file, losses) = exported(&[with_fields(&[], &["db; eu", "vpn"]), with_fields(&[], &["vpn"])]);
    assert_eq!(losses.get(&ExportLoss::Tags), Some(&1));
    let collection = read(&file, &keys(Some("x"), None)).unwrap();
    assert_eq!(collection.entries[0].as_ref().unwrap().content.tags(), ["db", "eu", "vpn"]);
}

#[test]
fn fields_called_as_plugins_call_their_settings_come_back() {
    let text = FieldType::Text;
    let fields = [("TOTP Settings", text, "see Ines"), ("TimeOtp-Period", text, "30"), ("TimeOtp-x", text, "y")];
    let (file, _) = exported(&[with_fields(&fields, &[])]);
    let collection = read(&file, &keys(Some("x"), None)).unwrap();
    let content = &collection.entries[0].as_ref().unwrap().content;
    assert_eq!(fields.map(|(name, ..)| value(content, name).0), ["see Ines", "30", "y"]);
}

#[test]
fn attack_68_a_database_that_expands_without_end_is_refused_at_the_limit() {
    let mut writer =
        KdbxWriter::new(Vec::new(), &keys(Some("x"), None), "n", Timestamp::UNIX_EPOCH, &mut |bytes| bytes.fill(1))
            .unwrap();
    let draft = RecordDraft {
        kind: RecordKind::custom(),
        title: "n".to_owned(),
        fields: vec![],
        tags: vec![],
        notes: "x".repeat(limits::VALUE_BYTES),
    };
    let content = RecordContent::parse(draft, None).unwrap();
    for _ in 0..70 {
        let versions = vec![ExportVersion { number: 1, content: content.clone(), made_at: Timestamp::UNIX_EPOCH }];
        let (created_at, attachments) = (Timestamp::UNIX_EPOCH, vec![]);
        writer.push(&ExportRecord { key: [1; 16], created_at, versions, attachments }).unwrap();
    }
    let (bomb, _) = writer.finish().unwrap();
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert_eq!(read(&bomb, &keys(Some("x"), None)).unwrap_err().code(), "source_expands");
}

/// `None` where KeePassXC is not installed.
#[allow(clippy::print_stderr, reason = "says what was not tested")]
fn keepassxc(folder: &Path, arguments: &[&str], input: &str) -> Option<Output> {
    let mut child = match Command::new("keepassxc-cli")
        .current_dir(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("keepassxc-cli is not installed: only the committed file is checked");
            return None;
        }
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output)
}

#[test]
fn keepassxc_opens_what_is_exported_and_shows_its_values() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ours.kdbx"), written("harbour")).unwrap();
    let Some(listed) = keepassxc(folder.path(), &["ls", "-R", "-f", "ours.kdbx"], "harbour\n") else { return };
    assert_eq!(String::from_utf8(listed.stdout).unwrap().trim(), "Gate <&> \"北\" 🔑");
    let title = "Gate <&> \"北\" 🔑";
    for (attribute, expected) in
        [("UserName", "svc_gate"), ("Password", "two"), ("PIN", "=1+1\n\u{1b}[0m"), ("Mail", "gate@example.org")]
    {
        let shown =
            keepassxc(folder.path(), &["show", "-s", "-a", attribute, "ours.kdbx", title], "harbour\n").unwrap();
        assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("{expected}\n"), "{attribute}");
    }
    let code = keepassxc(folder.path(), &["show", "-t", "ours.kdbx", title], "harbour\n").unwrap();
    assert_eq!(String::from_utf8(code.stdout).unwrap().trim().len(), 6);
    let info = keepassxc(folder.path(), &["db-info", "ours.kdbx"], "harbour\n").unwrap();
    let info = String::from_utf8(info.stdout).unwrap();
    assert!(info.contains("Argon2id") && info.contains("AES 256-bit"), "{info}");
}

#[test]
fn what_keepassxc_makes_today_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let xml = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keepassxc.xml");
    let import = ["import", "-p", "-t", "100", xml.to_str().unwrap(), "made.kdbx"];
    if keepassxc(folder.path(), &import, "harbour\nharbour\n").is_none() {
        return;
    }
    std::fs::write(folder.path().join("note.bin"), [0, 159, 146, 150]).unwrap();
    let title = "Webmail \"old\", Zürich";
    keepassxc(folder.path(), &["attachment-import", "made.kdbx", title, "note.bin", "note.bin"], "harbour\n");
    keepassxc(folder.path(), &["edit", "made.kdbx", title, "-p"], "harbour\nnew\n");
    let file = std::fs::read(folder.path().join("made.kdbx")).unwrap();
    let collection = read(&file, &keys(Some("harbour"), None)).unwrap();
    assert_eq!(collection.entries.len(), 3);
    let mail = entry(&collection, title);
    assert_eq!((value(&mail.content, "Password").0, mail.content.notes()), ("new", "first line\nsecond \"line\"\n"));
    assert_eq!(value(&mail.earlier.last().unwrap().content, "Password").0, "a\"b,c;d  ");
    let seed = value(&mail.content, "One-time password").0;
    assert!(seed.starts_with("otpauth://totp/") && seed.contains("secret=JBSWY3DPEHPK3PXP"), "{seed}");
    assert_eq!(mail.attachments[0].bytes.as_slice(), [0, 159, 146, 150]);
    // Without a title it is called after its address.
    let untitled = entry(&collection, "root");
    assert_eq!(value(&untitled.content, "URL").0, "cmd://ssh root@host.example");
    assert_eq!(entry(&collection, "日本語 🔑").content.tags(), ["Banking"]);
}
