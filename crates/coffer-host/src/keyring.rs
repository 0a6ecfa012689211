//! The operating system's keyring, made safe to call: every call ends within [`LIMIT`].
//!
//! A keyring may block for as long as nobody answers its own question for a password. All calls therefore run on one
//! thread, one after the other, and callers stop waiting. A call given up before its turn is never made.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use coffer_core::host::{Keyring, KeyringError, SecretBytes};
use keyring::{CredentialStore, Entry, Error};

/// Longest wait for the keyring. Long enough for a service started on demand, short enough to stand in the way of an
/// unlock; who is asked by the keyring and answers later is served at the next call.
const LIMIT: Duration = Duration::from_secs(3);

/// Connects to the keyring; an error means that there is none.
pub(crate) type Open = fn() -> Result<Arc<CredentialStore>, KeyringError>;

type Job = Box<dyn FnOnce() + Send>;

/// A keyring whose calls end in time.
pub(crate) struct TimedKeyring {
    open: Open,
    limit: Duration,
    /// The way to the thread, once there is one.
    jobs: Mutex<Option<Sender<Job>>>,
}

impl TimedKeyring {
    /// Uses the keyring that `open` connects to. Each call connects anew, so a keyring that was restarted, or appeared
    /// later, is found.
    pub(crate) fn new(open: Open) -> Self {
        Self { open, limit: LIMIT, jobs: Mutex::new(None) }
    }

    /// Runs `work` on one entry of the keyring and waits for it no longer than the limit.
    fn call<T: Send + 'static>(
        &self,
        service: &str,
        name: &str,
        work: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, KeyringError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let job = {
            let (given_up, open) = (Arc::clone(&given_up), self.open);
            let (service, name) = (service.to_owned(), name.to_owned());
            Box::new(move || {
                if given_up.load(Ordering::Acquire) {
                    return;
                }
                let result = open().and_then(|store| {
                    store.build(&service, &name, None).and_then(|entry| work(&entry)).map_err(|error| explain(&error))
                });
                // Nobody waits any more when this fails; a secret in the answer is wiped as it drops.
                let _ = reply.send(result);
            })
        };
        self.enqueue(job)?;
        answer.recv_timeout(self.limit).unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => {
                given_up.store(true, Ordering::Release);
                Err(KeyringError::TimedOut)
            }
            // The thread is gone: the keyring's library panicked. The next call starts another.
            RecvTimeoutError::Disconnected => Err(KeyringError::Failed),
        })
    }

    /// Hands a job to the thread, starting it if there is none or the last one died.
    fn enqueue(&self, job: Job) -> Result<(), KeyringError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match &*jobs {
            Some(sender) => match sender.send(job) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(job)) => job,
            },
            None => job,
        };
        let (sender, receiver) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || receiver.iter().for_each(|job| job()))
            .map_err(|_| KeyringError::Failed)?;
        sender.send(job).map_err(|_| KeyringError::Failed)?;
        *jobs = Some(sender);
        Ok(())
    }
}

impl Keyring for TimedKeyring {
    fn get(&self, service: &str, name: &str) -> Result<SecretBytes, KeyringError> {
        self.call(service, name, |entry| entry.get_secret().map(SecretBytes::new))
    }

    fn set(&self, service: &str, name: &str, secret: &SecretBytes) -> Result<(), KeyringError> {
        let secret = SecretBytes::new(secret.expose().to_vec());
        self.call(service, name, move |entry| entry.set_secret(secret.expose()))
    }

    fn delete(&self, service: &str, name: &str) -> Result<(), KeyringError> {
        self.call(service, name, Entry::delete_credential)
    }
}

/// Says in our words why the keyring failed. Its own words may carry data and go no further.
fn explain(error: &Error) -> KeyringError {
    match error {
        Error::NoEntry => KeyringError::NotFound,
        Error::NoStorageAccess(_) => KeyringError::Locked,
        Error::NoDefaultStore | Error::NotSupportedByStore(_) => KeyringError::Unavailable,
        // The enum is open, so the rest cannot be listed for ever.
        _ => KeyringError::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use super::*;

    fn impatient(open: Open) -> TimedKeyring {
        TimedKeyring { limit: Duration::from_millis(100), ..TimedKeyring::new(open) }
    }

    #[test]
    fn a_keyring_that_never_answers_times_out() {
        let keyring = impatient(|| {
            loop {
                thread::park();
            }
        });
        let start = Instant::now();
        assert_eq!(keyring.get("s", "n").unwrap_err(), KeyringError::TimedOut);
        assert_eq!(keyring.delete("s", "n"), Err(KeyringError::TimedOut));
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_call_given_up_before_its_turn_is_never_made() {
        static OPENED: AtomicUsize = AtomicUsize::new(0);
        let keyring = impatient(|| {
            OPENED.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(400));
            Err(KeyringError::Unavailable)
        });
        assert_eq!(keyring.delete("s", "slow"), Err(KeyringError::TimedOut));
        assert_eq!(keyring.set("s", "late", &SecretBytes::new(vec![1])), Err(KeyringError::TimedOut));
        // The first job ends, the second is skipped, and this one finds the thread free.
        thread::sleep(Duration::from_millis(500));
        let _ = keyring.delete("s", "next");
        assert_eq!(OPENED.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_panic_in_the_library_spoils_one_call_only() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let keyring = TimedKeyring::new(|| {
            assert!(CALLS.fetch_add(1, Ordering::SeqCst) > 0, "the library's own bug");
            Err(KeyringError::Unavailable)
        });
        assert_eq!(keyring.get("s", "n").unwrap_err(), KeyringError::Failed);
        // The dying thread may still take one more job before its channel closes.
        let second = keyring.get("s", "n").unwrap_err();
        assert!(matches!(second, KeyringError::Failed | KeyringError::Unavailable));
        assert_eq!(keyring.get("s", "n").unwrap_err(), KeyringError::Unavailable);
    }
}
