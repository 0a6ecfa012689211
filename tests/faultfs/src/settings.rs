//! The library's settings: environment variables, read once when it is loaded.

use core::ffi::c_int;
use std::path::PathBuf;

/// Folder whose files are watched: an absolute path without links in it. Every path that begins with it counts.
pub const PATH: &str = "COFFER_FAULT_PATH";
/// The operation to act at, counted from 1. Without it nothing is acted on, only recorded.
pub const AT: &str = "COFFER_FAULT_AT";
/// What to do there: `eio`, `enospc`, `edquot`, `erofs`, `kill`, `torn`, `loss`.
pub const ACTION: &str = "COFFER_FAULT_ACTION";
/// `once` (the default), or `onwards`: at every operation from there on.
pub const SPAN: &str = "COFFER_FAULT_SPAN";
/// File to append the record to.
pub const LOG: &str = "COFFER_FAULT_LOG";

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It fails with this error and changes nothing.
    Fail(c_int),
    /// The process is killed before it.
    Kill,
    /// A write is carried out in part, up to a disk sector; then the process is killed.
    Torn,
    /// The power fails: everything written since its file was last synced is as it was before, and the process killed.
    /// Names are taken to be on the disk at once; whether their folders are synced is seen in the record.
    Loss,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Once,
    Onwards,
}

pub(crate) struct Settings {
    pub(crate) path: Vec<u8>,
    pub(crate) at: u64,
    pub(crate) action: Option<Action>,
    pub(crate) span: Span,
    pub(crate) log: Option<PathBuf>,
}

impl Settings {
    /// `None` if there is nothing to watch.
    pub(crate) fn from_environment() -> Result<Option<Self>, String> {
        let Some(path) = std::env::var_os(PATH) else { return Ok(None) };
        let text = |name: &str| std::env::var(name).ok();
        let action = match text(ACTION).as_deref() {
            None => None,
            Some("eio") => Some(Action::Fail(libc::EIO)),
            Some("enospc") => Some(Action::Fail(libc::ENOSPC)),
            Some("edquot") => Some(Action::Fail(libc::EDQUOT)),
            Some("erofs") => Some(Action::Fail(libc::EROFS)),
            Some("kill") => Some(Action::Kill),
            Some("torn") => Some(Action::Torn),
            Some("loss") => Some(Action::Loss),
            Some(other) => return Err(format!("{ACTION}={other} is no action")),
        };
        let at = match text(AT) {
            None => u64::MAX,
            Some(at) => at.parse().map_err(|_| format!("{AT}={at} is no number"))?,
        };
        let span = match text(SPAN).as_deref() {
            None | Some("once") => Span::Once,
            Some("onwards") => Span::Onwards,
            Some(other) => return Err(format!("{SPAN}={other} is neither once nor onwards")),
        };
        let log = std::env::var_os(LOG).map(PathBuf::from);
        Ok(Some(Self { path: path.into_encoded_bytes(), at, action, span, log }))
    }
}
