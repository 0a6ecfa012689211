//! Coffer's desktop shell: native windows for everything secret, one web view for the rest, and the lock that ends the
//! process which knew. All authority is the engine's ([`coffer_core`]).
//!
//! | Module | Owns |
//! |---|---|
//! | [`commands`] | what the web view may ask for |
//! | `native` | the windows in which passphrases and codes are typed, and the file dialogs |
//! | `shell` | what the program is at |
//! | `lock` | leaving nothing behind |
//! | `web` | the web view's window and processes |
//! | `raw` | the few unsafe calls |

#[cfg(feature = "e2e")]
mod automation;
mod backups;
mod chosen;
pub mod commands;
mod idle;
pub mod jobs;
mod lock;
mod made;
mod native;
mod places;
mod raw;
pub mod refusal;
pub mod settings;
mod shell;
mod shown;
mod start;
mod storage;
mod web;

pub use start::run;
