//! What a caught call is: which kind of change, to which file under the watched folder.

use core::ffi::{CStr, c_int, c_long};

use crate::trap::{descriptor_argument, system_call};

/// Longest path that is understood (Linux's `PATH_MAX`).
const MAX_TEXT: usize = 4096;
/// Smallest piece a disk writes whole.
const SECTOR: u64 = 512;

/// A system call as the program made it.
pub(crate) struct Call {
    pub(crate) number: i64,
    pub(crate) arguments: [u64; 6],
}

/// Kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Write,
    Sync,
    Rename,
    Unlink,
    Truncate,
    Create,
    Folder,
    Link,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Rename => "rename",
            Self::Unlink => "unlink",
            Self::Truncate => "truncate",
            Self::Create => "create",
            Self::Folder => "folder",
            Self::Link => "link",
        }
    }
}

/// A change to a file under the watched folder.
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    /// The file that is changed: for a rename, its old name.
    pub(crate) path: Text,
    /// The new name.
    pub(crate) to: Option<Text>,
    /// The descriptor, where the call names one.
    pub(crate) descriptor: c_int,
    /// Bytes that are written, or kept by a truncation.
    pub(crate) length: u64,
}

/// Where a call names its file.
enum Named {
    Descriptor(u64),
    Path { folder: u64, path: u64 },
}

impl Operation {
    /// What the call does under `watched`; `None` if nothing.
    pub(crate) fn of(call: &Call, watched: &[u8]) -> Option<Self> {
        let arguments = &call.arguments;
        let here = i64::from(libc::AT_FDCWD).cast_unsigned();
        let open = |kind, length| (kind, Named::Descriptor(arguments[0]), None, length);
        let at = |kind| (kind, Named::Path { folder: arguments[0], path: arguments[1] }, None, 0);
        let moved = |kind, from: (u64, u64), to: (u64, u64)| {
            let named = |(folder, path)| Named::Path { folder, path };
            (kind, named(from), Some(named(to)), 0)
        };
        let (kind, named, to, length): (Kind, Named, Option<Named>, u64) = match call.number {
            libc::SYS_write | libc::SYS_pwrite64 => open(Kind::Write, arguments[2]),
            libc::SYS_writev | libc::SYS_pwritev => open(Kind::Write, call.vector_length()),
            libc::SYS_fsync | libc::SYS_fdatasync => open(Kind::Sync, 0),
            libc::SYS_ftruncate => open(Kind::Truncate, arguments[1]),
            libc::SYS_fallocate => open(Kind::Write, 0),
            libc::SYS_unlinkat => at(Kind::Unlink),
            libc::SYS_mkdirat => at(Kind::Folder),
            libc::SYS_openat => at(Kind::Create),
            libc::SYS_renameat | libc::SYS_renameat2 => {
                moved(Kind::Rename, (arguments[0], arguments[1]), (arguments[2], arguments[3]))
            }
            libc::SYS_linkat => moved(Kind::Link, (arguments[0], arguments[1]), (arguments[2], arguments[3])),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => moved(Kind::Rename, (here, arguments[0]), (here, arguments[1])),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_link => moved(Kind::Link, (here, arguments[0]), (here, arguments[1])),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink | libc::SYS_rmdir => {
                (Kind::Unlink, Named::Path { folder: here, path: arguments[0] }, None, 0)
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir => (Kind::Folder, Named::Path { folder: here, path: arguments[0] }, None, 0),
            _ => return None,
        };
        let path = named.resolve()?;
        let to = to.and_then(|to| to.resolve());
        let is_under = |path: &Text| path.bytes().starts_with(watched);
        if !is_under(&path) && !to.as_ref().is_some_and(is_under) {
            return None;
        }
        // Opening what exists changes nothing, whatever the flags.
        if kind == Kind::Create && exists(arguments[0], arguments[1]) {
            return None;
        }
        let descriptor = match named {
            Named::Descriptor(descriptor) => number_of(descriptor),
            Named::Path { .. } => -1,
        };
        Some(Self { kind, path, to, descriptor, length })
    }
}

impl Call {
    /// The first part of this write, up to a sector's end, or the first half of a small one; `None` for anything else.
    pub(crate) fn torn_write(&self, operation: &Operation) -> Option<Self> {
        if !matches!(self.number, libc::SYS_write | libc::SYS_pwrite64) {
            return None;
        }
        let half = operation.length / 2;
        let part = if half > SECTOR { half - half % SECTOR } else { half };
        let mut arguments = self.arguments;
        arguments[2] = part;
        Some(Self { number: self.number, arguments })
    }

    /// Bytes of a `writev`.
    fn vector_length(&self) -> u64 {
        let count = usize::try_from(self.arguments[2]).unwrap_or(0);
        // SAFETY: the program's own vector, of the length it gives.
        let parts = unsafe { core::slice::from_raw_parts(self.arguments[1] as *const libc::iovec, count) };
        parts.iter().map(|part| part.iov_len as u64).sum()
    }
}

impl Named {
    /// The absolute path; `None` for what has none, such as a pipe.
    fn resolve(&self) -> Option<Text> {
        let path = match *self {
            Self::Descriptor(descriptor) => return path_of(descriptor),
            Self::Path { folder, path } => {
                // SAFETY: the program's own string.
                let path = unsafe { CStr::from_ptr(path as *const libc::c_char) }.to_bytes();
                if path.first() == Some(&b'/') {
                    let mut text = Text::new();
                    text.push(path);
                    return Some(text);
                }
                (folder, path)
            }
        };
        let (folder, path) = path;
        let mut text = if number_of(folder) == libc::AT_FDCWD { link(c"/proc/self/cwd") } else { path_of(folder) }?;
        text.push(b"/");
        text.push(path);
        Some(text)
    }
}

/// A descriptor's number out of a register's low half.
fn number_of(argument: u64) -> c_int {
    u32::try_from(argument & 0xFFFF_FFFF).expect("masked").cast_signed()
}

fn path_of(descriptor: u64) -> Option<Text> {
    let mut name = Text::new();
    name.push(b"/proc/self/fd/");
    name.push_number(u64::try_from(number_of(descriptor)).ok()?);
    name.push(b"\0");
    let path = link(CStr::from_bytes_until_nul(name.bytes()).ok()?)?;
    (path.bytes().first() == Some(&b'/')).then_some(path)
}

fn link(name: &CStr) -> Option<Text> {
    let mut text = Text::new();
    let here = i64::from(libc::AT_FDCWD).cast_unsigned();
    let arguments = [here, name.as_ptr() as u64, text.bytes.as_mut_ptr() as u64, MAX_TEXT as u64, 0];
    // SAFETY: the name ends in a zero byte, and the buffer is as long as it says.
    let length = unsafe { system_call(libc::SYS_readlinkat, arguments) };
    text.length = usize::try_from(length).ok()?;
    Some(text)
}

fn exists(folder: u64, path: u64) -> bool {
    // SAFETY: the program's own string.
    unsafe { system_call(libc::SYS_faccessat, [folder, path, u64::from(libc::F_OK.unsigned_abs()), 0, 0]) == 0 }
}

/// Text that is built without allocating. What does not fit is left out.
pub(crate) struct Text {
    bytes: [u8; MAX_TEXT],
    length: usize,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; MAX_TEXT], length: 0 }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    pub(crate) fn push(&mut self, more: &[u8]) {
        let room = self.bytes.get_mut(self.length..).unwrap_or(&mut []);
        let fits = more.len().min(room.len());
        room[..fits].copy_from_slice(&more[..fits]);
        self.length += fits;
    }

    pub(crate) fn push_number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut first = digits.len();
        let mut rest = number;
        loop {
            first -= 1;
            digits[first] = b'0' + u8::try_from(rest % 10).expect("a digit");
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push(&digits[first..]);
    }
}

/// The kernel's `fstat`: length of a file, and what tells it from all others.
pub(crate) fn facts(descriptor: c_int) -> Option<libc::stat> {
    let mut facts = core::mem::MaybeUninit::<libc::stat>::zeroed();
    let arguments = [descriptor_argument(descriptor), facts.as_mut_ptr() as u64, 0, 0, 0];
    // SAFETY: the structure is the one this machine's kernel fills in, and zero is a value of every field.
    unsafe { (system_call(libc::SYS_fstat as c_long, arguments) == 0).then(|| facts.assume_init()) }
}
