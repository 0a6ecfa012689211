//! Files that come with records: each durable under a random name before the rows that need it are committed, and gone
//! again if they never are. Layout: docs/FORMAT.md §5.10.

use std::collections::BTreeMap;
use std::io::{self, Read};

use coffer_model::attachment::MediaKind;

use super::attach::AttachError;
use super::seal::{Sealed, Sealing};
use crate::job::JobError;
use crate::store::attached::MOST_FILES;
use crate::store::tenant::StoredFile;

/// The files of one step.
pub(super) struct Arrivals<'j> {
    sealing: Sealing<'j>,
    /// How many more the vault may have; counted when the first comes.
    room: Option<usize>,
    /// Those written by this step, by the digest of their content.
    written: BTreeMap<[u8; 32], Written>,
}

struct Written {
    file: StoredFile,
    is_needed: bool,
}

/// A content that the tenant has by now.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub file: StoredFile,
    pub digest: [u8; 32],
    pub media: MediaKind,
}

impl<'j> Arrivals<'j> {
    pub const fn new(sealing: Sealing<'j>) -> Self {
        Self { sealing, room: None, written: BTreeMap::new() }
    }

    /// Takes in a content of exactly so many bytes, unless the tenant has it already.
    pub fn take(
        &mut self,
        content: impl Read + Send,
        bytes: u64,
        unreadable: impl Fn(io::Error) -> JobError + Send,
    ) -> Result<Arrived, JobError> {
        let Sealed { new, file, digest, media } = self.sealing.seal(content, bytes, unreadable)?;
        if let Some(written) = self.written.get(&digest) {
            return Ok(Arrived { file: written.file.clone(), digest, media });
        }
        let Sealing { core, open, .. } = self.sealing;
        if let Some(known) = open.read(|store| store.file_of(&digest))? {
            // What was just written goes away with `new`, so what there is has to be good.
            drop(core.open_attached(open, &known)?);
            return Ok(Arrived { file: known, digest, media });
        }
        self.make_room()?;
        new.publish().map_err(|error| self.sealing.failed(error))?;
        self.written.insert(digest, Written { file: file.clone(), is_needed: false });
        Ok(Arrived { file, digest, media })
    }

    fn make_room(&mut self) -> Result<(), JobError> {
        let room = if let Some(room) = self.room {
            room
        } else {
            let count = self.sealing.open.files.count().map_err(|error| self.sealing.failed(error))?;
            MOST_FILES.saturating_sub(count)
        };
        self.room = Some(room.checked_sub(1).ok_or(AttachError::TooMany)?);
        Ok(())
    }

    /// A row refers to the file of this content.
    pub fn need(&mut self, digest: &[u8; 32]) {
        if let Some(written) = self.written.get_mut(digest) {
            written.is_needed = true;
        }
    }

    /// The rows are there: what none of them needs goes.
    pub fn settle(mut self) {
        self.written.retain(|_, written| !written.is_needed);
    }

    /// The rows may be there or not: everything stays, and is swept where the tenant is next opened if none needs it.
    pub fn leave(mut self) {
        self.written.clear();
    }
}

impl Drop for Arrivals<'_> {
    fn drop(&mut self) {
        for written in self.written.values() {
            // One that cannot be removed now is swept where the tenant is next opened.
            let _ = self.sealing.open.files.remove(&written.file.file);
        }
    }
}
