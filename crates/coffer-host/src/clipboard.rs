//! The clipboard of the desktop, for secrets: kept out of histories, and cleared.
//!
//! On X11 the text stays in the program that copied it, so one thread owns the connection and lives as long as the
//! process. It clears by content, not by ownership: a clipboard manager that took the same text over is cleared, too,
//! and what the person copied since is left alone. Wayland is reached through `XWayland`.
//!
//! The library frees its copies without wiping them; they leave this process's memory for certain only with the
//! process, which is one reason why locking ends it.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arboard::Error;
use coffer_core::host::{Clipboard, ClipboardError, SecretBytes};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Longest wait for a display that does not answer, so that locking is done within a second.
const LIMIT: Duration = Duration::from_millis(800);

/// What the thread is asked to do. Each answer goes back through its own channel.
enum Request {
    Copy { secret: SecretBytes, clear_after: Duration, reply: SyncSender<Result<(), ClipboardError>> },
    Clear { reply: SyncSender<Result<bool, ClipboardError>> },
    Wait { reply: SyncSender<Result<(), ClipboardError>> },
}

/// The desktop's clipboard, connected to at first use.
pub(crate) struct DesktopClipboard {
    /// The way to the thread, once something has been copied.
    requests: Mutex<Option<Sender<Request>>>,
}

impl DesktopClipboard {
    pub(crate) fn new() -> Self {
        Self { requests: Mutex::new(None) }
    }

    /// The way to the thread if it has been started: without it, nothing of ours is on the clipboard.
    fn thread(&self) -> Option<Sender<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn start(&self) -> Result<Sender<Request>, ClipboardError> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*requests {
            return Ok(sender.clone());
        }
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("clipboard".to_owned())
            .spawn(move || Owner::default().serve(&receiver))
            .map_err(|_| ClipboardError::Failed)?;
        *requests = Some(sender.clone());
        Ok(sender)
    }
}

impl Clipboard for DesktopClipboard {
    fn copy_secret(&self, secret: SecretBytes, clear_after: Duration) -> Result<(), ClipboardError> {
        if std::str::from_utf8(secret.expose()).is_err() {
            return Err(ClipboardError::NotText);
        }
        let (reply, answer) = mpsc::sync_channel(1);
        let request = Request::Copy { secret, clear_after, reply };
        self.start()?.send(request).map_err(|_| ClipboardError::Failed)?;
        answer.recv_timeout(LIMIT).unwrap_or(Err(ClipboardError::Failed))
    }

    fn clear_if_ours(&self) -> Result<bool, ClipboardError> {
        let Some(thread) = self.thread() else { return Ok(false) };
        let (reply, answer) = mpsc::sync_channel(1);
        thread.send(Request::Clear { reply }).map_err(|_| ClipboardError::Failed)?;
        answer.recv_timeout(LIMIT).unwrap_or(Err(ClipboardError::Failed))
    }

    fn wait_until_cleared(&self) -> Result<(), ClipboardError> {
        let Some(thread) = self.thread() else { return Ok(()) };
        let (reply, answer) = mpsc::sync_channel(1);
        thread.send(Request::Wait { reply }).map_err(|_| ClipboardError::Failed)?;
        answer.recv().unwrap_or(Err(ClipboardError::Failed))
    }
}

/// What we put on the clipboard and have not taken back.
struct Held {
    secret: SecretBytes,
    until: Instant,
}

/// The thread's side: the only owner of the connection.
#[derive(Default)]
struct Owner {
    clipboard: Option<arboard::Clipboard>,
    held: Option<Held>,
    waiting: Vec<SyncSender<Result<(), ClipboardError>>>,
}

impl Owner {
    /// Serves requests, and clears in time, until the last sender is gone.
    fn serve(mut self, requests: &Receiver<Request>) {
        loop {
            let next = match &self.held {
                Some(held) => requests.recv_timeout(held.until.saturating_duration_since(Instant::now())),
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            // Whoever asked may have stopped waiting; then nobody reads the answer.
            match next {
                Ok(Request::Copy { secret, clear_after, reply }) => {
                    let _ = reply.send(self.copy(secret, clear_after));
                }
                Ok(Request::Clear { reply }) => {
                    let _ = reply.send(self.clear());
                }
                Ok(Request::Wait { reply }) if self.held.is_none() => {
                    let _ = reply.send(Ok(()));
                }
                Ok(Request::Wait { reply }) => self.waiting.push(reply),
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.clear();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    // Before the connection drops: a connection dropped with text in it hands the text to the desktop's
                    // clipboard manager, to be kept.
                    let _ = self.clear();
                    return;
                }
            }
        }
    }

    fn copy(&mut self, secret: SecretBytes, clear_after: Duration) -> Result<(), ClipboardError> {
        let text = std::str::from_utf8(secret.expose()).map_err(|_| ClipboardError::NotText)?.to_owned();
        let clipboard = match &mut self.clipboard {
            Some(clipboard) => clipboard,
            None => self.clipboard.insert(arboard::Clipboard::new().map_err(|_| ClipboardError::Unavailable)?),
        };
        // The library keeps this very allocation; borrowed text would leave one more copy behind.
        private(clipboard.set()).text(text).map_err(|error| explain(&error))?;
        let until = Instant::now().checked_add(clear_after).ok_or(ClipboardError::Failed)?;
        self.held = Some(Held { secret, until });
        Ok(())
    }

    /// Clears what is ours, and says whether there was anything. Whatever the outcome, it is not tried again.
    fn clear(&mut self) -> Result<bool, ClipboardError> {
        let Some(held) = self.held.take() else { return Ok(false) };
        let outcome = match &mut self.clipboard {
            Some(clipboard) => clear_if_holds(clipboard, &held.secret),
            None => Ok(false),
        };
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(outcome.map(|_| ()));
        }
        outcome
    }
}

/// Clears the clipboard if it holds `secret`, and looks again to be sure.
fn clear_if_holds(clipboard: &mut arboard::Clipboard, secret: &SecretBytes) -> Result<bool, ClipboardError> {
    if !holds(clipboard, secret)? {
        return Ok(false);
    }
    clipboard.clear().map_err(|error| explain(&error))?;
    // Reading waits for the display to have done it, so that the process may end right after.
    if holds(clipboard, secret)? { Err(ClipboardError::Failed) } else { Ok(true) }
}

fn holds(clipboard: &mut arboard::Clipboard, secret: &SecretBytes) -> Result<bool, ClipboardError> {
    match clipboard.get_text() {
        Ok(mut text) => {
            let same = text.as_bytes().ct_eq(secret.expose()).into();
            text.zeroize();
            Ok(same)
        }
        // Empty, or not text: not what we put there.
        Err(Error::ContentNotAvailable | Error::ConversionFailure) => Ok(false),
        Err(error) => Err(explain(&error)),
    }
}

fn explain(error: &Error) -> ClipboardError {
    match error {
        Error::ClipboardNotSupported => ClipboardError::Unavailable,
        _ => ClipboardError::Failed,
    }
}

/// Marks what is about to be copied as a secret, in the way this desktop's clipboard histories understand.
#[cfg(target_os = "linux")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "macos")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(target_os = "windows")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    use arboard::SetExtWindows as _;
    set.exclude_from_monitoring().exclude_from_cloud().exclude_from_history()
}
