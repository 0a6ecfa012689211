//! The hash-tree root of a file at rest: by it a session knows at unlock whether the files are those it locked.
//! Layout: docs/FORMAT.md §5. Spec: the tree of RFC 6962 §2.1 over blocks of 64 KiB, the last one shorter.

use std::io::Read;
use std::path::Path;

use coffer_evidence::merkle::{self, Frontier};
use minicbor::bytes::ByteArray;
use minicbor::{CborLen, Decode, Encode};

use super::files::{self, FileError};
use super::sqlcipher;

/// Bytes of a block.
const BLOCK_BYTES: usize = 64 * 1024;

/// Length and root of a file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, CborLen)]
pub(crate) struct FileRoot {
    #[n(0)]
    pub(crate) bytes: u64,
    #[n(1)]
    pub(crate) root: ByteArray<32>,
}

impl FileRoot {
    /// Reads the main file of a database that nobody has open and whose write-ahead log is empty; `None` if it is not.
    /// `go_on` is asked before each block and may stop the work.
    pub(crate) fn of_database<E: From<FileError>>(
        path: &Path,
        mut go_on: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<Option<Self>, E> {
        if std::fs::symlink_metadata(sqlcipher::write_ahead_log(path)).is_ok_and(|facts| facts.len() > 0) {
            return Ok(None);
        }
        let mut file = files::open_private_file(path)?;
        let mut tree = Frontier::new();
        let mut bytes = 0;
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        loop {
            block.clear();
            let limit = u64::try_from(BLOCK_BYTES).expect("64 KiB fit");
            let read = file.by_ref().take(limit).read_to_end(&mut block).map_err(FileError::from)?;
            if read == 0 {
                return Ok(Some(Self { bytes, root: tree.root().into() }));
            }
            let read = u64::try_from(read).expect("at most 64 KiB");
            go_on(read)?;
            bytes += read;
            tree.push(merkle::leaf_hash(&block), |_| {});
        }
    }
}
