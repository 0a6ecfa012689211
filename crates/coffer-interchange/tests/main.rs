//! Everything that is read and written, in one program: to link each file's own took longer than to run most.

mod archive;
mod bitwarden;
mod csv;
mod export;
mod hostile;
mod kdbx;
mod keepassxc;
mod onepux;
mod properties;
mod twin;
