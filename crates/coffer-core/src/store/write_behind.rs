//! Writing a large file while the disk takes in what was written before, so that little is left to wait for when all of
//! it has to be durable. Touches the file it is given.

use std::fs::File;
use std::io::{self, Write};
use std::thread::{self, JoinHandle};

use super::files::{self, FileError};

/// How much is written before the disk is told to take it in. Smaller files are synced once, at their end.
const STEP_BYTES: u64 = 32 * 1024 * 1024;

/// A file being written from its beginning to its end.
pub(crate) struct WriteBehind<'f> {
    file: &'f File,
    /// Written since the disk was last told.
    untold: u64,
    syncing: Option<JoinHandle<io::Result<()>>>,
    failed: Option<io::Error>,
}

impl<'f> WriteBehind<'f> {
    /// Begins writing `file`.
    pub(crate) const fn new(file: &'f File) -> Self {
        Self { file, untold: 0, syncing: None, failed: None }
    }

    /// Makes all of it durable.
    pub(crate) fn finish(mut self) -> Result<(), FileError> {
        self.await_sync().map_err(FileError::NotDurable)?;
        files::sync_file(self.file)
    }

    /// Why writing failed, if that was the disk not taking in what it had been given: no later sync may be believed.
    pub(crate) fn into_failed_sync(self) -> Option<FileError> {
        self.failed.map(FileError::NotDurable)
    }

    fn sync_behind(&mut self) -> io::Result<()> {
        if self.syncing.as_ref().is_some_and(|syncing| !syncing.is_finished()) {
            return Ok(());
        }
        self.await_sync().map_err(|error| {
            let kind = error.kind();
            self.failed = Some(error);
            io::Error::from(kind)
        })?;
        let file = self.file.try_clone()?;
        self.syncing = Some(thread::Builder::new().name("sync".to_owned()).spawn(move || file.sync_data())?);
        self.untold = 0;
        Ok(())
    }

    fn await_sync(&mut self) -> io::Result<()> {
        let Some(syncing) = self.syncing.take() else { return Ok(()) };
        syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Write for WriteBehind<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file;
        let written = file.write(bytes)?;
        self.untold += written as u64;
        if self.untold >= STEP_BYTES {
            self.sync_behind()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut file = self.file;
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};

    use super::*;

    #[test]
    fn what_was_written_is_there_in_full() {
        let mut file = tempfile::tempfile().unwrap();
        let piece: Vec<u8> = (0..1_000_003_u32).map(|number| number.to_le_bytes()[0]).collect();
        let mut behind = WriteBehind::new(&file);
        for _ in 0..70 {
            behind.write_all(&piece).unwrap();
        }
        behind.finish().unwrap();
        file.rewind().unwrap();
        let mut back = Vec::new();
        file.read_to_end(&mut back).unwrap();
        assert_eq!(back.len(), 70 * piece.len());
        assert!(back.chunks(piece.len()).all(|chunk| chunk == piece));
    }

    #[test]
    fn a_sync_that_failed_behind_fails_the_next_step_and_is_told_apart() {
        let file = tempfile::tempfile().unwrap();
        let mut behind = WriteBehind::new(&file);
        behind.syncing =
            Some(thread::spawn(|| Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()))));
        while !behind.syncing.as_ref().unwrap().is_finished() {}
        behind.untold = STEP_BYTES;
        assert!(behind.write_all(b"more").is_err());
        assert!(matches!(behind.into_failed_sync(), Some(FileError::NotDurable(_))));
    }

    #[test]
    fn a_sync_that_failed_behind_fails_the_end() {
        let file = tempfile::tempfile().unwrap();
        let mut behind = WriteBehind::new(&file);
        behind.syncing =
            Some(thread::spawn(|| Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()))));
        assert!(matches!(behind.finish(), Err(FileError::NotDurable(_))));
    }
}
