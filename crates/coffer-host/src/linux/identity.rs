//! Who runs this where. The user comes from the process's own id, not from `$USER`, which anybody may set.

use std::env;
use std::path::PathBuf;

use nix::unistd::{Uid, User};
use rustix::system::uname;

/// Name of the user this process acts as, or its number when it has no name.
pub(crate) fn user_name() -> String {
    let uid = Uid::effective();
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => uid.to_string(),
    }
}

/// The machine's host name.
pub(crate) fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

/// The folder for programs' data (XDG Base Directory Specification 0.8): relative paths in the variable do not count.
pub(crate) fn data_folder() -> Option<PathBuf> {
    env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().filter(|path| path.is_absolute()).map(|home| home.join(".local/share")))
}
