//! Linux: what this operating system alone can answer.

mod disk;
mod identity;
mod keyring;
mod private_file;
mod process;

pub(crate) use disk::Disk;
pub(crate) use identity::{data_folder, host_name, user_name};
pub(crate) use keyring::open_keyring;
pub(crate) use private_file::{read_private_file, remove_private_file, replace_private_file};
pub(crate) use process::{Machine, harden_process};
