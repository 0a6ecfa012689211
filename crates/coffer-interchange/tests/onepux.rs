//! 1Password's 1PUX export, and archives that mean harm.
//! The sample is written after <https://support.1password.com/1pux-format/>.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::{Cursor, Read, Seek, SeekFrom, Write as _};

use coffer_interchange::neutral::{Collection, Entry, Loss, LossKind};
use coffer_interchange::source::{self, Format, SourceError, SourceKeys};
use coffer_model::record::FieldType;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const DATA: &str = include_str!("data/export.data.json");

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sample() -> Vec<u8> {
    archive(&[
        ("export.attributes", b"{\"version\":3,\"description\":\"1Password Unencrypted Export\"}"),
        ("export.data", DATA.as_bytes()),
        ("files/docplan__plan.txt", b"north"),
        ("files/docmain__passwd", b"signed"),
    ])
}

fn read(file: &[u8]) -> Result<Collection, SourceError> {
    source::read(Format::OnePux, &mut Cursor::new(file), &SourceKeys::default())
}

fn entry<'c>(collection: &'c Collection, title: &str) -> &'c Entry {
    let mut found = collection.entries.iter().map(|entry| entry.as_ref().unwrap());
    found.find(|entry| entry.content.title() == title).unwrap()
}

#[test]
fn sections_documents_history_and_archived_items_arrive() {
    let file = sample();
    let found = source::detect(&mut Cursor::new(&file)).unwrap();
    assert_eq!((found.format, found.secret), (Format::OnePux, false));
    let collection = read(&file).unwrap();
    assert_eq!(collection.entries.len(), 3);
    let mail = entry(&collection, "Webmail");
    let fields: Vec<_> = mail
        .content
        .fields()
        .iter()
        .map(|field| (field.name.as_str(), field.field_type, field.value.expose()))
        .collect();
    let seed = "otpauth://totp/Webmail?secret=JBSWY3DPEHPK3PXP&period=30&digits=6&algorithm=SHA1";
    assert_eq!(
        fields,
        [
            ("User name", FieldType::Text, "ines"),
            ("Password", FieldType::Secret, "third"),
            ("remember", FieldType::Text, "on"),
            ("URL", FieldType::Url, "https://mail.example.org"),
            ("admin", FieldType::Url, "https://admin.example.org"),
            ("Security: PIN", FieldType::Secret, "12345"),
            ("One-time password", FieldType::Totp, seed),
            ("Security: recovery phone", FieldType::Phone, "+49 40 1234"),
            ("Security: mail", FieldType::Email, "ines@example.org"),
            ("Security: born", FieldType::Date, "1990-01-01"),
            ("Security: valid", FieldType::Text, "2031-04"),
            ("Security: home", FieldType::Multiline, "Hafenstraße 1\n20457 Hamburg\nde"),
            ("Security: novel", FieldType::Secret, "{\"hologram\":\"x\"}"),
            ("colour", FieldType::Text, "green"),
        ]
    );
    assert_eq!(mail.content.tags(), ["Personal", "favourite", "work"]);
    let passwords: Vec<_> = mail.earlier.iter().map(|version| version.content.fields()[1].value.expose()).collect();
    assert_eq!(passwords, ["first", "second"]);
    assert_eq!(mail.changed_at.unwrap().unix_millis(), 1_700_000_000_000);
    assert_eq!((mail.attachments[0].name.as_str(), mail.attachments[0].bytes.as_slice()), ("plan.txt", &b"north"[..]));

    let old = entry(&collection, "Old contract");
    assert_eq!(old.content.tags(), ["Personal", "archived"]);
    // A name is a name: what it would lead to outside is nobody's business here.
    assert_eq!(old.attachments[0].name, "../../etc/passwd");
    assert_eq!(entry(&collection, "Router").content.fields()[0].value.expose(), "bare");
    let losses: Vec<_> = collection.losses.iter().map(|loss| (loss.entry, loss.what, loss.name.as_str())).collect();
    assert_eq!(
        losses,
        [(Some(1), LossKind::Reference, "Security: see"), (Some(4), LossKind::TrashedEntry, "Thrown away")]
    );
}

#[test]
fn a_document_that_is_not_there_is_a_loss_by_name() {
    let collection = read(&archive(&[("export.data", DATA.as_bytes())])).unwrap();
    let lost: Vec<_> = collection.losses.iter().filter(|loss| loss.what == LossKind::Attachment).collect();
    assert_eq!((lost.len(), lost[0].name.as_str()), (2, "plan.txt"));
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    for name in ["../evil", "files/../../evil", "/etc/evil", "C:\\evil"] {
        let file = archive(&[("export.data", DATA.as_bytes()), (name, b"x")]);
        assert_eq!(read(&file).unwrap_err().code(), "source_unsafe_name", "{name}");
    }
}

#[test]
fn attack_68_archives_that_expand_without_end_are_refused_at_the_limit() {
    // 24 MiB of spaces in 24 KiB: JSON as far as it goes.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("export.data", SimpleFileOptions::default()).unwrap();
    let spaces = vec![b' '; 1024 * 1024];
    for _ in 0..24 {
        zip.write_all(&spaces).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    assert!(bomb.len() < 1024 * 1024);
    let begun = std::time::Instant::now();
    assert_eq!(read(&bomb).unwrap_err().code(), "source_expands");
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());

    // As an attachment, too.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("export.data", SimpleFileOptions::default()).unwrap();
    zip.write_all(DATA.as_bytes()).unwrap();
    zip.start_file("files/docplan__plan.txt", SimpleFileOptions::default()).unwrap();
    for _ in 0..24 {
        zip.write_all(&spaces).unwrap();
    }
    assert_eq!(read(&zip.finish().unwrap().into_inner()).unwrap_err().code(), "source_expands");
}

/// One item of one vault, with these further details.
fn one_item(details: &str) -> String {
    format!(
        "{{\"accounts\":[{{\"vaults\":[{{\"items\":[{{\"categoryUuid\":\"001\",\"overview\":{{\"title\":\"a\"}},\
         \"details\":{{{details}}}}}]}}]}}]}}"
    )
}

#[test]
fn the_newest_two_hundred_passwords_are_versions_and_others_losses_that_cost_nothing() {
    const PAST: usize = 20_000;
    let past = |n: usize| format!("{{\"value\":\"p{n}\",\"time\":{n}}}");
    let history = (0..PAST).rev().map(past).collect::<Vec<_>>().join(",");
    let notes = "n".repeat(200 * 1024);
    let data = one_item(&format!("\"password\":\"now\",\"notesPlain\":\"{notes}\",\"passwordHistory\":[{history}]"));
    let collection = read(&archive(&[("export.data", data.as_bytes())])).unwrap();
    let lost = PAST - 200;
    assert_eq!(collection.losses_counted, u64::try_from(lost).unwrap());
    let earlier = &entry(&collection, "a").earlier;
    assert_eq!((earlier.len(), earlier[0].content.fields()[0].value.expose()), (200, &*format!("p{lost}")));
    let replaced = earlier[0].made_at.unwrap().unix_millis() / 1000;
    assert_eq!(usize::try_from(replaced).unwrap(), lost - 1, "when the one before was replaced");
}

/// Counts what is read.
struct Counted<R>(R, u64);

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1 += u64::try_from(read).unwrap();
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_file_that_is_too_large_is_read_once_however_often_it_is_named_and_no_further_than_the_limit() {
    let field = "{\"title\":\"f\",\"value\":{\"file\":{\"fileName\":\"big\",\"documentId\":\"big\"}}}";
    let fields = vec![field; 20].join(",");
    let data = one_item(&format!("\"sections\":[{{\"fields\":[{fields}]}}]"));
    let big = vec![7; 80 * 1024 * 1024];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [("export.data", data.as_bytes()), ("files/big__big", &big)] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let file = zip.finish().unwrap().into_inner();
    let mut reader = Counted(Cursor::new(&file), 0);
    let collection = source::read(Format::OnePux, &mut reader, &SourceKeys::default()).unwrap();
    let lost = Loss { entry: Some(1), what: LossKind::Attachment, name: "big".to_owned() };
    assert_eq!(collection.losses, vec![lost; 20]);
    assert!(reader.1 < 70 * 1024 * 1024, "{}", reader.1);
}

/// A disk that fails at every byte from one on.
struct Failing(Cursor<Vec<u8>>, u64);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        const EIO: i32 = 5;
        if self.0.position() == self.1 { Err(std::io::Error::from_raw_os_error(EIO)) } else { self.0.read(buffer) }
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_disk_that_fails_is_not_called_a_damaged_file() {
    let file = sample();
    // Behind its name stands a member's content.
    let name = b"export.data";
    let at = file.windows(name.len()).position(|bytes| bytes == name).unwrap() + name.len();
    let mut reader = Failing(Cursor::new(file), at.try_into().unwrap());
    let refused = source::read(Format::OnePux, &mut reader, &SourceKeys::default()).unwrap_err();
    assert_eq!(refused.code(), "file_unreadable");
}

#[test]
fn what_is_no_export_is_damage() {
    assert_eq!(read(&archive(&[("other", b"x")])).unwrap_err().code(), "source_damaged");
    assert_eq!(read(&archive(&[("export.data", b"{}")])).unwrap_err().code(), "source_damaged");
    assert_eq!(read(&archive(&[("export.data", b"{\"accounts\":[]}")])).unwrap_err().code(), "source_empty");
    assert_eq!(read(b"PK\x03\x04").unwrap_err().code(), "source_damaged");
}
