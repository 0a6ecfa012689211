//! Every reader against arbitrary bytes, and valid files cut short or with one bit turned: an error, never a panic.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::{Cursor, Write as _};

use coffer_interchange::source::{self, Format, SourceKeys};
use proptest::prelude::*;
use zeroize::Zeroizing;

const KDBX: &[u8] = include_bytes!("data/keepassxc.kdbx");
const KDBX_3: &[u8] = include_bytes!("data/keepassxc3.kdbx");
const BITWARDEN: &[u8] = include_bytes!("data/bitwarden.json");
const EXPORT_DATA: &[u8] = include_bytes!("data/export.data.json");

fn keys() -> SourceKeys {
    SourceKeys { passphrase: Some(Zeroizing::new(b"harbour 59".to_vec())), key_file: None }
}

fn onepux() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("export.data", EXPORT_DATA), ("files/docplan__plan.txt", b"north")] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Reads it as every format, with and without a key.
fn read_all(file: &[u8]) {
    let _ = source::detect(&mut Cursor::new(file));
    for format in Format::ALL {
        for keys in [SourceKeys::default(), keys()] {
            if let Ok(collection) = source::read(format, &mut Cursor::new(file), &keys) {
                assert!(!collection.entries.is_empty() || collection.losses_counted > 0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), which in 0_usize..4) {
        let beginning: &[u8] = [&b""[..], &KDBX[..12], b"PK\x03\x04", b"{\"items\":"][which];
        read_all(&[beginning, &bytes].concat());
    }

    #[test]
    fn files_cut_short_or_bent_never_panic(at: prop::sample::Index, bit in 0_u8..8, which in 0_usize..4, cut: bool) {
        let mut file = [KDBX.to_vec(), BITWARDEN.to_vec(), onepux(), KDBX_3.to_vec()][which].clone();
        // Of a KDBX only what stands before its MAC can be bent to any effect, and a header that asks for much work is
        // another test's business: keep to its structure.
        let at = at.index(if which == 0 || which == 3 { 0x70 } else { file.len() });
        // Version 3 has no hash of its header: what is bent there is found only after the key derivation.
        if cut || which == 3 {
            file.truncate(at);
        } else {
            file[at] ^= 1 << bit;
        }
        read_all(&file);
    }
}

#[test]
fn the_format_is_told_by_the_content_alone() {
    let of = |file: &[u8]| source::detect(&mut Cursor::new(file)).unwrap().format;
    assert_eq!(of(KDBX), Format::Kdbx);
    assert_eq!(of(BITWARDEN), Format::Bitwarden);
    assert_eq!(of(&onepux()), Format::OnePux);
    assert_eq!(of(b"Title,Password\na,b\n"), Format::Csv);
    assert_eq!(of(b"{curly},b\n1,2\n"), Format::Csv);
    assert_eq!(of(b""), Format::Csv);
    assert_eq!(
        of(&[0x03, 0xD9, 0xA2, 0x9A, 0x65, 0xFB, 0x4B, 0xB5]),
        Format::Kdbx,
        "an older version, refused by name"
    );
}
