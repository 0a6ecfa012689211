//! Archives: arbitrary records come back equal, and whatever is not byte for byte as a writer makes it is refused.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::{Cursor, Read, Write as _};

use coffer_interchange::archive::{
    self, ArchiveWriter, ArchivedFile, Attachment, Counter, ManifestHead, Member, RecordHead, RecordLines, Sink,
    Version,
};
use coffer_interchange::source::{self, Format, SourceError};
use coffer_model::id::RecordKey;
use coffer_model::record::{FieldDraft, FieldType, RecordContent, RecordDraft};
use coffer_model::template::KindTemplate;
use coffer_model::time::Timestamp;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// A record with its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole {
    head: RecordHead,
    versions: Vec<Version>,
}

/// Everything an archive showed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    kinds: usize,
    files: Vec<Vec<u8>>,
    records: Vec<Whole>,
    ended: usize,
}

impl Sink for Shown {
    type Error = SourceError;

    fn kinds(&mut self, kinds: Vec<KindTemplate>) -> Result<(), SourceError> {
        self.kinds = kinds.len();
        Ok(())
    }

    fn file(&mut self, _: u32, _: u64, content: &mut (dyn Read + Send)) -> Result<(), SourceError> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(archive::unreadable)?;
        self.files.push(bytes);
        Ok(())
    }

    fn begin_record(&mut self, head: &RecordHead) -> Result<(), SourceError> {
        self.records.push(Whole { head: head.clone(), versions: Vec::new() });
        Ok(())
    }

    fn version(&mut self, version: &Version) -> Result<(), SourceError> {
        self.records.last_mut().unwrap().versions.push(version.clone());
        Ok(())
    }

    fn end_record(&mut self, _: &RecordHead, versions: u32) -> Result<(), SourceError> {
        assert_eq!(self.records.last().unwrap().versions.len(), versions as usize);
        self.ended += 1;
        Ok(())
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_764_000_000_000 + seconds * 1_000).unwrap()
}

fn head() -> ManifestHead {
    ManifestHead { tenant: "ACME GmbH".to_owned(), made_at: at(0), made_by: "ines".to_owned() }
}

fn write_lines<W: std::io::Write>(out: W, files: &[ArchivedFile], records: &[Whole]) -> (W, archive::Counts) {
    let mut lines = RecordLines::new(out, files);
    for record in records {
        lines.begin(&record.head).unwrap();
        for version in &record.versions {
            lines.version(version).unwrap();
        }
        lines.end().unwrap();
    }
    lines.finish()
}

/// The records' member as a writer makes it.
fn lines(files: &[&[u8]], records: &[Whole]) -> Vec<u8> {
    let archived =
        |bytes: &&[u8]| ArchivedFile { bytes: bytes.len() as u64, sha256: Some(Sha256::digest(bytes).into()) };
    write_lines(Vec::new(), &files.iter().map(archived).collect::<Vec<_>>(), records).0
}

/// An archive with these bytes in its records' member, whatever they are.
fn archive_of(files: &[&[u8]], lines: &[u8], counts: archive::Counts) -> Vec<u8> {
    let mut archive = ArchiveWriter::new(Vec::new(), head(), &[]).unwrap();
    for (number, bytes) in (1..).zip(files) {
        archive.begin(Member::File(number), bytes.len() as u64).unwrap();
        archive.write_all(bytes).unwrap();
        archive.end().unwrap();
    }
    archive.begin(Member::Records, lines.len() as u64).unwrap();
    archive.write_all(lines).unwrap();
    archive.end().unwrap();
    archive.finish(counts).unwrap()
}

fn counts(records: &[Whole]) -> archive::Counts {
    write_lines(Counter::default(), &[ArchivedFile { bytes: 0, sha256: None }; 8], records).1
}

fn whole(files: &[&[u8]], records: &[Whole]) -> Vec<u8> {
    archive_of(files, &lines(files, records), counts(records))
}

fn read(file: &[u8]) -> Result<Shown, SourceError> {
    let mut shown = Shown::default();
    archive::read(file, file.len() as u64, &mut shown)?;
    assert_eq!(shown.ended, shown.records.len());
    Ok(shown)
}

fn content(
    title: &str,
    fields: Vec<FieldDraft>,
    tags: Vec<String>,
    notes: &str,
    before: Option<&RecordContent>,
) -> RecordContent {
    let (kind, title, notes) = ("login".parse().unwrap(), title.to_owned(), notes.to_owned());
    RecordContent::parse(RecordDraft { kind, title, fields, tags, notes }, before).unwrap()
}

fn record(number: u8, contents: Vec<RecordContent>, attachments: Vec<Attachment>, trashed: bool) -> Whole {
    let version = |(number, content)| Version {
        number,
        content,
        changed_at: at(i64::from(number)),
        changed_by: "ines".to_owned(),
        made_at: (number % 2 == 0).then(|| at(-5)),
    };
    let versions: Vec<Version> = (1..).zip(contents).map(version).collect();
    let newest = versions.last().unwrap();
    let head = RecordHead {
        key: RecordKey::from_bytes([number; 16]),
        content: content_as_newest(&newest.content),
        created_at: at(1),
        changed_at: newest.changed_at,
        trashed_at: trashed.then(|| at(9)),
        attachments,
    };
    Whole { head, versions }
}

/// What the head tells of the newest version: all but the number that comes next.
fn content_as_newest(newest: &RecordContent) -> RecordContent {
    let next = newest.fields().iter().map(|field| field.id.0).max().unwrap_or(0) + 1;
    let (fields, tags) = (newest.fields().to_vec(), newest.tags().to_vec());
    RecordContent::from_archive(
        newest.kind().clone(),
        newest.title().to_owned(),
        fields,
        next,
        tags,
        newest.notes().into(),
    )
    .unwrap()
}

fn sample() -> (Vec<&'static [u8]>, Vec<Whole>) {
    let secret = |value: &str| FieldDraft {
        id: None,
        name: "Password".to_owned(),
        field_type: FieldType::Secret,
        value: Some(value.into()),
    };
    let first = content("Gate", vec![secret("one")], vec!["db".to_owned()], "", None);
    let second = content("Gate 北 \"<\\>\"", vec![], vec![], "two\r\nlines \u{1}", Some(&first));
    let third = content("Gate", vec![secret("three")], vec![], "", Some(&second));
    assert_eq!(third.fields()[0].id.0, 2);
    let attachment = |number, name: &str, file, attached, detached| Attachment {
        number,
        name: name.parse().unwrap(),
        file,
        attached,
        detached,
    };
    let attachments = vec![attachment(1, "CON", 2, 1, Some(3)), attachment(3, "=cmd|' calc'!A0", 1, 2, None)];
    let alone = content("Alone", vec![], vec![], "", None);
    let records = vec![record(1, vec![first, second, third], attachments, false), record(2, vec![alone], vec![], true)];
    (vec![b"", b"north gate"], records)
}

#[test]
fn what_is_written_comes_back_and_is_told_in_the_manifest() {
    let (files, records) = sample();
    let file = whole(&files, &records);
    let shown = read(&file).unwrap();
    assert_eq!((&shown.records, shown.kinds), (&records, 0));
    assert_eq!(shown.files, files);
    let look = archive::look(Cursor::new(&file), file.len() as u64, 1).unwrap();
    assert_eq!((look.manifest.tenant.as_str(), look.manifest.made_at), ("ACME GmbH", at(0)));
    let counts = look.manifest.counts;
    assert_eq!((counts.records, counts.trashed, counts.versions, counts.attachments), (2, 1, 4, 2));
    let first = &look.records[0];
    assert_eq!((look.records.len(), first.title.as_str(), first.versions, first.attachments), (1, "Gate", 3, 2));
    assert_eq!(source::detect(&mut Cursor::new(&file)).unwrap().format, Format::Archive);
}

#[test]
fn a_byte_that_is_another_and_an_end_that_is_missing_are_refused() {
    let (files, records) = sample();
    let file = whole(&files, &records);
    for at in (0..file.len()).step_by(61) {
        let mut bent = file.clone();
        bent[at] ^= 1;
        assert!(read(&bent).is_err(), "byte {at}");
    }
    for length in (0..file.len()).step_by(101) {
        assert!(read(&file[..length]).is_err(), "{length} bytes");
    }
    assert!(read(&[&file[..], &[0]].concat()).is_err(), "something behind the end");
}

#[test]
fn attack_36_a_record_that_names_a_tenant_is_refused() {
    let (files, records) = sample();
    let good = String::from_utf8(lines(&files, &records)).unwrap();
    let of = |text: &str| read(&archive_of(&files, text.as_bytes(), counts(&records)));
    assert_eq!(of(&good).unwrap().records, records);
    for (at, with) in [
        ("{\"key\":", "{\"tenant\":\"Bauer\",\"key\":"),
        (",\"versions\":", ",\"tenant\":\"Bauer\",\"versions\":"),
        ("]}\n", "],\"tenant\":\"Bauer\"}\n"),
        ("{\"version\":", "{\"tenant\":\"Bauer\",\"version\":"),
    ] {
        let named = good.replacen(at, with, 1);
        assert_ne!(named, good);
        assert!(matches!(of(&named), Err(SourceError::Damaged)), "{with}");
    }
}

#[test]
fn attack_67_an_attachment_leads_nowhere_by_its_name_or_place() {
    let (files, records) = sample();
    let good = String::from_utf8(lines(&files, &records)).unwrap();
    let of = |at: &str, with: &str| {
        let text = good.replacen(at, with, 1);
        assert_ne!(text, good);
        read(&archive_of(&files, text.as_bytes(), counts(&records)))
    };
    for name in ["/etc/x", "../x", "a/b", "a\\\\b", "..", "", " ", &"x".repeat(300), "a\\u0000b", "a\\nb"] {
        let refused = of("\"name\":\"CON\"", &format!("\"name\":\"{name}\""));
        assert!(matches!(refused, Err(SourceError::Damaged)), "{name}");
    }
    for place in ["files/3", "files/0", "../files/2", "/etc/passwd", "manifest.json", "files/02"] {
        let refused = of("\"file\":\"files/2\"", &format!("\"file\":\"{place}\""));
        assert!(matches!(refused, Err(SourceError::Damaged)), "{place}");
    }
    // The other file is there, and it is another.
    assert!(of("\"file\":\"files/2\"", "\"file\":\"files/1\"").is_err());
}

#[test]
fn attack_68_a_file_that_says_it_is_huge_is_refused_before_anything_is_made_room_for() {
    let (files, records) = sample();
    let file = whole(&files, &records);
    let mut announced = Vec::new();
    let mut archive = ArchiveWriter::new(&mut announced, head(), &[]).unwrap();
    archive.begin(Member::File(1), 1 << 50).unwrap();
    drop(archive);
    assert!(matches!(read(&announced), Err(SourceError::Damaged)));
    // A piece larger than any that is written, in an archive that is long enough for it.
    let notes = "x".repeat(20 * 1024 * 1024);
    let text = String::from_utf8(lines(&files, &records)).unwrap().replacen(
        "\"notes\":\"\"",
        &format!("\"notes\":\"{notes}\""),
        1,
    );
    assert!(matches!(read(&archive_of(&files, text.as_bytes(), counts(&records))), Err(SourceError::TooLarge)));
    let deep = "[".repeat(100_000);
    assert!(read(&archive_of(&files, deep.as_bytes(), counts(&records))).is_err());
    let blank = " ".repeat(20 * 1024 * 1024);
    assert!(read(&archive_of(&files, blank.as_bytes(), counts(&records))).is_err());
    assert!(read(&file).is_ok());
}

#[test]
fn versions_that_no_record_can_have_had_are_refused() {
    let (files, records) = sample();
    let good = String::from_utf8(lines(&files, &records)).unwrap();
    for (at, with) in [
        ("\"version\":1,", "\"version\":2,"),
        ("\"version\":2,", "\"version\":3,"),
        // After the last number there is none.
        ("\"version\":3,", "\"version\":4294967295,"),
        ("\"version\":3,", "\"version\":1073741825,"),
        // A number of a field that was given before, or that no field can have.
        ("\"next_field\":3}", "\"next_field\":2}"),
        ("\"number\":2,\"name\":\"Password\"", "\"number\":0,\"name\":\"Password\""),
        ("\"type\":\"secret\"", "\"type\":\"expiry\""),
        ("\"kind\":\"login\"", "\"kind\":\"Login\""),
        ("\"title\":\"Gate\"", "\"title\":\" Gate\""),
        ("\"title\":\"Gate\"", "\"title\":\"Other\""),
        ("\"tags\":[\"db\"]", "\"tags\":[\"db\",\"db\"]"),
        ("\"changed_at\":\"", "\"changed_at\":\"x"),
        ("\"attached\":2", "\"attached\":4"),
        ("\"number\":3,\"name\"", "\"number\":1,\"name\""),
    ] {
        let text = good.replacen(at, with, 1);
        assert_ne!(text, good, "{at}");
        assert!(read(&archive_of(&files, text.as_bytes(), counts(&records))).is_err(), "{with}");
    }
    // A manifest that counts otherwise.
    let other = archive::Counts { records: 3, ..counts(&records) };
    assert!(read(&archive_of(&files, good.as_bytes(), other)).is_err());
}

fn text() -> impl Strategy<Value = String> {
    "[a-zäß 0-9\"\\\\<&=\u{1F511}\u{200B}]{0,12}"
}

fn fields() -> impl Strategy<Value = Vec<(String, FieldType, String)>> {
    let free = prop::sample::select(vec![FieldType::Secret, FieldType::Multiline]);
    prop::collection::vec(("[A-Z][a-z]{0,5}", free, "[^\0]{0,20}"), 0..4)
}

fn versions() -> impl Strategy<Value = Vec<RecordContent>> {
    let version = ("[A-Z][a-zü]{0,9}", fields(), prop::collection::vec("[a-z]{1,5}", 0..3), text());
    prop::collection::vec(version, 1..4).prop_map(|versions| {
        let mut made: Vec<RecordContent> = Vec::new();
        for (title, fields, tags, notes) in versions {
            let mut drafts: Vec<FieldDraft> = Vec::new();
            for (name, field_type, value) in fields {
                if drafts.iter().all(|taken| taken.name != name) {
                    drafts.push(FieldDraft { id: None, name, field_type, value: Some(value.as_str().into()) });
                }
            }
            let made_of = content(&title, drafts, tags, &notes, made.last());
            made.push(made_of);
        }
        made
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_records_come_back_equal(histories in prop::collection::vec((versions(), any::<bool>()), 0..6)) {
        let number = |(number, (contents, trashed))| record(number, contents, vec![], trashed);
        let records: Vec<Whole> = (1..).zip(histories).map(number).collect();
        prop_assert_eq!(read(&whole(&[], &records)).unwrap().records, records);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048), which in 0_usize..3) {
        let (files, records) = sample();
        let good = whole(&files, &records);
        let beginning = [&b""[..], &good[..512], &good[..good.len().min(4096)]][which];
        let file = [beginning, &bytes].concat();
        let _ = source::detect(&mut Cursor::new(&file));
        let _ = read(&file);
        let _ = archive::look(Cursor::new(&file), file.len() as u64, 20);
    }

    #[test]
    fn arbitrary_lines_never_panic(text in "[\\[\\]{}:,\"a-z0-9 ]{0,80}") {
        if let Ok(shown) = read(&archive_of(&[], text.as_bytes(), counts(&[]))) {
            prop_assert!(shown.records.is_empty() && text.trim().is_empty());
        }
    }
}
