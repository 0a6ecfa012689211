//! The one place with unsafe calls: what GTK and Linux offer only in C. Each is a few lines whose soundness can be seen.
//!
//! The text of a passphrase entry is read in place, because gtk-rs's own `text()` makes a copy that nobody erases.
#![expect(unsafe_code, reason = "no safe binding reads an entry's text in place, or marks descriptors by range")]

use std::slice;

use gtk::prelude::*;

/// First descriptor that is not standard input, output or error.
const FIRST_OWN_DESCRIPTOR: libc::c_uint = 3;

/// Lends the text of an entry. `look` must not change the entry, which it is not given for that reason.
pub(crate) fn lend_text<T>(entry: &gtk::Entry, look: impl FnOnce(&[u8]) -> T) -> T {
    let buffer = entry.buffer();
    let pointer = buffer.as_ptr();
    // SAFETY: `buffer` keeps the object alive. GTK's getters give the text, owned by the buffer and valid until it is
    // changed, and its length in bytes. The main thread, the only one GTK objects live on, is here until `look` returns.
    let text = unsafe {
        let start = gtk::ffi::gtk_entry_buffer_get_text(pointer).cast::<u8>();
        let bytes = gtk::ffi::gtk_entry_buffer_get_bytes(pointer);
        if start.is_null() { &[] } else { slice::from_raw_parts(start, bytes) }
    };
    look(text)
}

/// Takes the text out of an entry: one exact copy for the caller to erase, and none left in the entry, whose buffer GTK
/// overwrites when text is deleted.
pub(crate) fn take_text(entry: &gtk::Entry) -> Vec<u8> {
    let text = lend_text(entry, <[u8]>::to_vec);
    erase_text(entry);
    text
}

/// Empties an entry.
pub(crate) fn erase_text(entry: &gtk::Entry) {
    let buffer = entry.buffer();
    // SAFETY: `buffer` keeps the object alive, and -1 stands for "to the end".
    unsafe { gtk::ffi::gtk_entry_buffer_delete_text(buffer.as_ptr(), 0, -1) };
}

/// Marks every descriptor but the standard three to be closed when another image replaces this one.
pub(crate) fn close_all_on_exec() -> std::io::Result<()> {
    let flags = libc::c_int::try_from(libc::CLOSE_RANGE_CLOEXEC).expect("a flag of one bit fits");
    // SAFETY: changes only flags of descriptors; takes no pointers.
    match unsafe { libc::close_range(FIRST_OWN_DESCRIPTOR, libc::c_uint::MAX, flags) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Removes the variable that would let anybody who starts the program drive its web view.
#[cfg(not(feature = "e2e"))]
pub(crate) fn refuse_automation() {
    // SAFETY: called first in `main`, before any other thread exists that could read the environment.
    unsafe { std::env::remove_var("TAURI_WEBVIEW_AUTOMATION") };
}
