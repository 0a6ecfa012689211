//! What an unsynced write has replaced, so that a loss of power can be played: everything a file was given since its
//! last sync is taken back, newest first.
//!
//! Each file is held open by a descriptor of our own from its first write on, so that renaming and removing do not lose
//! it. Those descriptors are never closed: closing one would drop the program's POSIX locks on the file.

use core::ffi::c_int;

use crate::call::{Call, Kind, Operation, Text, facts};
use crate::trap::{self, descriptor_argument, system_call};

/// Room for what was replaced. Address space; only what is used becomes memory.
const ARENA_BYTES: usize = 1 << 32;
/// Most files of one run.
const MAX_FILES: usize = 1024;

#[derive(Clone, Copy)]
struct File {
    device: u64,
    inode: u64,
    own: c_int,
}

/// Stands in the arena before the bytes that were replaced.
#[derive(Clone, Copy)]
#[repr(C)]
struct Entry {
    file: usize,
    /// Whether the file has been synced since.
    synced: bool,
    offset: u64,
    /// The file's length before.
    length: u64,
    /// How many bytes follow.
    bytes: usize,
    /// Where the entry before this one begins; itself for the first.
    before: usize,
}

struct Journal {
    arena: *mut u8,
    used: usize,
    last: Option<usize>,
    files: [File; MAX_FILES],
    known: usize,
}

/// Used under the library's turn only, after one thread set it up.
static mut JOURNAL: Journal = Journal {
    arena: core::ptr::null_mut(),
    used: 0,
    last: None,
    files: [File { device: 0, inode: 0, own: -1 }; MAX_FILES],
    known: 0,
};

/// Makes room; called once, before any call is caught.
pub(crate) fn reserve() {
    // SAFETY: no other thread exists yet.
    unsafe { JOURNAL.arena = trap::reserve(ARENA_BYTES).unwrap_or(core::ptr::null_mut()) };
}

/// Carries the call out, remembering what it replaces.
pub(crate) fn carry_out(call: &Call, operation: &Operation) -> i64 {
    let journal = &raw mut JOURNAL;
    // SAFETY: the caller holds the library's turn, so nobody else uses the journal.
    let journal = unsafe { &mut *journal };
    match operation.kind {
        Kind::Write => journal.remember(operation, write_offset(call, operation), operation.length),
        Kind::Truncate => {
            let length = facts(operation.descriptor).map_or(0, |facts| facts.st_size.unsigned_abs());
            journal.remember(operation, operation.length, length.saturating_sub(operation.length));
        }
        _ => {}
    }
    let result = trap::repeat(call);
    if operation.kind == Kind::Sync && result == 0 {
        journal.mark_synced(operation.descriptor);
    }
    result
}

/// Takes back every write that no sync has followed.
pub(crate) fn undo_unsynced() {
    let journal = &raw mut JOURNAL;
    // SAFETY: as in `carry_out`.
    let journal = unsafe { &mut *journal };
    let mut next = journal.last;
    while let Some(at) = next {
        let entry = journal.entry(at);
        if !entry.synced {
            let own = descriptor_argument(journal.files[entry.file].own);
            // SAFETY: the bytes lie in the arena behind their entry.
            unsafe {
                let bytes = journal.arena.add(at + size_of::<Entry>()) as u64;
                system_call(libc::SYS_pwrite64, [own, bytes, entry.bytes as u64, entry.offset, 0]);
                system_call(libc::SYS_ftruncate, [own, entry.length, 0, 0, 0]);
            }
        }
        next = (entry.before != at).then_some(entry.before);
    }
}

impl Journal {
    fn remember(&mut self, operation: &Operation, offset: u64, bytes: u64) {
        let Some(facts) = facts(operation.descriptor) else { return };
        let Some(file) = self.file(&facts, &operation.path) else { return };
        let start = self.used;
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        let end = start.saturating_add(size_of::<Entry>()).saturating_add(wanted);
        if self.arena.is_null() || end > ARENA_BYTES {
            // A loss that cannot be played must not look like one that was survived.
            trap::write_all(libc::STDERR_FILENO, b"coffer-faultfs: no room to remember unsynced writes\n");
            trap::die();
        }
        let own = descriptor_argument(self.files[file].own);
        // SAFETY: all up to `end` is within the arena, and the kernel writes at most `wanted` bytes behind the entry.
        unsafe {
            let place = self.arena.add(start + size_of::<Entry>()) as u64;
            let read = system_call(libc::SYS_pread64, [own, place, bytes, offset, 0]);
            let entry = Entry {
                file,
                synced: false,
                offset,
                length: facts.st_size.unsigned_abs(),
                bytes: usize::try_from(read).unwrap_or(0),
                before: self.last.unwrap_or(start),
            };
            self.arena.add(start).cast::<Entry>().write_unaligned(entry);
        }
        self.last = Some(start);
        self.used = end;
    }

    fn mark_synced(&mut self, descriptor: c_int) {
        let Some(facts) = facts(descriptor) else { return };
        let Some(file) = self.find(&facts) else { return };
        let mut next = self.last;
        while let Some(at) = next {
            let mut entry = self.entry(at);
            if entry.file == file && !entry.synced {
                entry.synced = true;
                // SAFETY: `at` is where an entry was written.
                unsafe { self.arena.add(at).cast::<Entry>().write_unaligned(entry) };
            }
            next = (entry.before != at).then_some(entry.before);
        }
    }

    fn entry(&self, at: usize) -> Entry {
        // SAFETY: `at` is where `remember` wrote an entry.
        unsafe { self.arena.add(at).cast::<Entry>().read_unaligned() }
    }

    fn find(&self, facts: &libc::stat) -> Option<usize> {
        self.files[..self.known].iter().position(|file| file.device == facts.st_dev && file.inode == facts.st_ino)
    }

    fn file(&mut self, facts: &libc::stat, path: &Text) -> Option<usize> {
        if let Some(found) = self.find(facts) {
            return Some(found);
        }
        if facts.st_mode & libc::S_IFMT != libc::S_IFREG || self.known == MAX_FILES {
            return None;
        }
        let mut name = Text::new();
        name.push(path.bytes());
        name.push(b"\0");
        let here = i64::from(libc::AT_FDCWD).cast_unsigned();
        let flags = u64::from((libc::O_RDWR | libc::O_CLOEXEC).unsigned_abs());
        // SAFETY: the name ends in a zero byte.
        let own = unsafe { system_call(libc::SYS_openat, [here, name.bytes().as_ptr() as u64, flags, 0, 0]) };
        let own = c_int::try_from(own).ok().filter(|own| *own >= 0)?;
        self.files[self.known] = File { device: facts.st_dev, inode: facts.st_ino, own };
        self.known += 1;
        Some(self.known - 1)
    }
}

/// Where a write goes.
fn write_offset(call: &Call, operation: &Operation) -> u64 {
    if matches!(call.number, libc::SYS_pwrite64 | libc::SYS_pwritev) {
        return call.arguments[3];
    }
    let descriptor = descriptor_argument(operation.descriptor);
    // SAFETY: no pointers.
    let (flags, position) = unsafe {
        let flags = system_call(libc::SYS_fcntl, [descriptor, u64::from(libc::F_GETFL.unsigned_abs()), 0, 0, 0]);
        let here = u64::from(libc::SEEK_CUR.unsigned_abs());
        (flags, system_call(libc::SYS_lseek, [descriptor, 0, here, 0, 0]))
    };
    if flags & i64::from(libc::O_APPEND) != 0 {
        return facts(operation.descriptor).map_or(0, |facts| facts.st_size.unsigned_abs());
    }
    u64::try_from(position).unwrap_or(0)
}
