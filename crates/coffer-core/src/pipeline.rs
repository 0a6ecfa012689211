//! Two steps of one job side by side: one thread fills buffers, the other empties them. Holds a bounded number of
//! buffers, so memory does not grow with what passes through.

use std::panic;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::fault::Fault;
use crate::job::JobError;
use crate::store::files::FileError;

/// Bytes of one buffer: four chunks of age's, or of an attachment's content.
pub(crate) const BUFFER_BYTES: usize = 256 * 1024;
/// Buffers on their way at one time.
const DEPTH: usize = 8;

/// The side that fills.
pub(crate) struct Feed<T> {
    sender: SyncSender<T>,
    returned: Receiver<Vec<u8>>,
}

/// The side that empties.
pub(crate) struct Drain<T> {
    receiver: Receiver<T>,
    returning: SyncSender<Vec<u8>>,
}

/// The other side has ended, and says why by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherSideEnded;

/// Why the filling side ended early.
pub(crate) enum FeedError {
    /// Nobody takes more; the emptying side knows why.
    OtherSideEnded,
    /// It failed by itself.
    Failed(JobError),
}

impl From<OtherSideEnded> for FeedError {
    fn from(_: OtherSideEnded) -> Self {
        Self::OtherSideEnded
    }
}

impl<E: Into<JobError>> From<E> for FeedError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<T> Feed<T> {
    /// A buffer of [`BUFFER_BYTES`], used before or new; its contents are left over.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.returned.try_recv().unwrap_or_default();
        buffer.resize(BUFFER_BYTES, 0);
        buffer
    }

    /// Hands on the next piece; waits while too many are on their way.
    pub(crate) fn send(&self, piece: T) -> Result<(), OtherSideEnded> {
        self.sender.send(piece).map_err(|_| OtherSideEnded)
    }
}

impl<T> Drain<T> {
    /// The next piece; none when the other side has ended, well or not.
    pub(crate) fn next(&self) -> Option<T> {
        self.receiver.recv().ok()
    }

    /// Gives a buffer back for use again.
    pub(crate) fn give_back(&self, buffer: Vec<u8>) {
        // With nobody to take it, or enough of them about, it is simply freed.
        let _ = self.returning.try_send(buffer);
    }
}

/// Runs `fill` on a thread of its own and `empty` on this one, and gives both results. An error of `fill` explains
/// why `empty` ran dry, so it is the one reported.
pub(crate) fn side_by_side<T: Send, F: Send, E>(
    name: &'static str,
    fill: impl FnOnce(&Feed<T>) -> Result<F, FeedError> + Send,
    empty: impl FnOnce(&Drain<T>) -> Result<E, JobError>,
) -> Result<(F, E), JobError> {
    let (sender, receiver) = sync_channel(DEPTH);
    let (returning, returned) = sync_channel(DEPTH + 2);
    let feed = Feed { sender, returned };
    let drain = Drain { receiver, returning };
    thread::scope(|scope| {
        let filling = thread::Builder::new()
            .name(name.to_owned())
            .spawn_scoped(scope, move || {
                let filled = fill(&feed);
                drop(feed);
                filled
            })
            .map_err(|error| JobError::from(Fault::from(FileError::from(error))))?;
        let emptied = empty(&drain);
        // Wakes the other side if it still waits for room.
        drop(drain);
        match (filling.join().unwrap_or_else(|panic| panic::resume_unwind(panic)), emptied) {
            (Err(FeedError::Failed(error)), _) | (_, Err(error)) => Err(error),
            (Ok(filled), Ok(emptied)) => Ok((filled, emptied)),
            // It was told to end by an end of `empty` that was none.
            (Err(FeedError::OtherSideEnded), Ok(_)) => Err(JobError::Bug),
        }
    })
}
