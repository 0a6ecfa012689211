//! What an archive consists of: the manifest for programs, and the same digests for `sha256sum`. Pure.
//! Layout: docs/FORMAT.md §8.9.

use std::fmt::Write as _;

use coffer_model::tenant::TenantName;
use coffer_model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry::Member;
use crate::source::SourceError;

/// What the manifest of this format calls it.
pub(super) const FORMAT: &str = "coffer.archive/1";
/// Most bytes of a manifest: every member's line with room to spare.
pub(super) const MAX_MANIFEST_BYTES: u64 = 8 * 1024 * 1024;

/// Whose archive it is, and when and by whom it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestHead {
    /// The tenant's name.
    pub tenant: String,
    /// When.
    pub made_at: Timestamp,
    /// Login name of the account that made it.
    pub made_by: String,
}

/// How much is in an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Records, those in the trash among them.
    pub records: u64,
    /// Records in the trash.
    pub trashed: u64,
    /// Versions of all records.
    pub versions: u64,
    /// Attachments of all records, those that were taken off among them.
    pub attachments: u64,
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The tenant's name where it comes from.
    pub tenant: String,
    /// When the archive was made.
    pub made_at: Timestamp,
    /// Login name of the account that made it, in the vault where it was made.
    pub made_by: String,
    /// How much is in it.
    pub counts: Counts,
    /// Every member before the manifest, in order.
    contents: Vec<Content>,
}

/// One member of an archive, as the manifest tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Content {
    path: String,
    bytes: u64,
    sha256: String,
}

impl Content {
    pub fn new(member: Member, bytes: u64, sha256: &[u8; 32]) -> Self {
        Self { path: member.to_string(), bytes, sha256: hex::encode(sha256) }
    }
}

impl Manifest {
    pub(super) fn new(head: ManifestHead, counts: Counts, contents: Vec<Content>) -> Self {
        let ManifestHead { tenant, made_at, made_by } = head;
        Self { format: FORMAT.to_owned(), tenant, made_at, made_by, counts, contents }
    }

    /// The manifest as it stands in the archive.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("texts and numbers are always JSON");
        text.push(b'\n');
        text
    }

    /// Reads a manifest. What it says is not checked against the archive yet.
    pub(super) fn parse(text: &[u8]) -> Result<Self, SourceError> {
        let manifest: Self = serde_json::from_slice(text).map_err(|_| SourceError::Damaged)?;
        if manifest.format != FORMAT {
            return Err(SourceError::OtherVersion);
        }
        if manifest.tenant.parse::<TenantName>().is_err() {
            return Err(SourceError::Damaged);
        }
        Ok(manifest)
    }

    /// Whether it says just this of an archive.
    pub(super) fn tells(&self, counts: &Counts, contents: &[Content]) -> bool {
        self.counts == *counts && self.contents == contents
    }

    /// The lines by which `sha256sum -c` checks every other member, the manifest of this digest among them.
    pub(super) fn sums(&self, own_sha256: &[u8; 32]) -> String {
        let mut text = String::new();
        for content in &self.contents {
            let _ = writeln!(text, "{}  {}", content.sha256, content.path);
        }
        let _ = writeln!(text, "{}  {}", hex::encode(own_sha256), Member::Manifest);
        text
    }
}
