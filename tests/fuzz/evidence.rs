//! Log entries, checkpoints and manifests.

use coffer_evidence::entry::{self, LogEntry};
use coffer_evidence::manifest::Manifest;
use coffer_evidence::note::{Checkpoint, SignedNote};

use crate::Target;

pub const ENTRY: Target = Target { name: "entry", feed: entry, seeds: Vec::new };
pub const NOTE: Target = Target { name: "note", feed: note, seeds: note_seeds };
pub const MANIFEST: Target = Target { name: "manifest", feed: manifest, seeds: manifest_seeds };

fn entry(bytes: &[u8]) {
    if let Ok(entry) = LogEntry::parse(bytes) {
        assert_eq!(entry.encode(), bytes, "one entry has one encoding");
    }
    drop(entry::parse_block(bytes));
}

fn note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    drop(SignedNote::parse(text));
    drop(Checkpoint::parse(text));
    drop(Checkpoint::open(text, &[]));
}

fn note_seeds() -> Vec<Vec<u8>> {
    let text = "coffer/01234567\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— ines AAAAAAAAAAAAAAAAAAAA\n";
    vec![text.as_bytes().to_vec()]
}

fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(manifest) = Manifest::parse(text) {
        assert_eq!(manifest.encode(), text, "one manifest has one text");
    }
    drop(Manifest::open(text, &[]));
}

fn manifest_seeds() -> Vec<Vec<u8>> {
    vec![b"coffer.backup/v1\nvault 00\ncounter 1\n".to_vec()]
}
