//! The memory Argon2id works in: mapped for it alone, erased after every use.
//! Not pure: asks the operating system for pages. The only unsafe code of this crate, reviewed together.
//!
//! Our own mapping rather than the allocator's, because its pages can be huge (fewer misses, faster), can be kept out
//! of core dumps and, where the limit allows, out of swap; and because the last blocks give the derived key without
//! the passphrase, so it must be certain that they are erased.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};

use argon2::Block;
use rustix::mm::{Advice, MapFlags, ProtFlags};
use zeroize::Zeroize;

/// From this size on, huge pages were measured to slow Argon2id down.
const HUGE_PAGES_BELOW_BYTES: usize = 1024 * 1024 * 1024;

/// The operating system did not give the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is not enough memory to derive the key")]
pub struct OutOfMemory;

/// Memory for one derivation after another; mapped at the first, grown when a larger one comes.
#[derive(Default)]
pub struct KdfMemory {
    mapping: Option<Mapping>,
}

impl KdfMemory {
    /// Maps nothing yet.
    pub const fn new() -> Self {
        Self { mapping: None }
    }

    /// How much is mapped, in KiB.
    pub fn mapped_kib(&self) -> usize {
        self.mapping.as_ref().map_or(0, |mapping| mapping.blocks)
    }

    /// Whether what is mapped is locked against swapping.
    pub fn is_locked(&self) -> bool {
        self.mapping.as_ref().is_some_and(|mapping| mapping.locked)
    }

    /// Lends `blocks` blocks of 1 KiB to `use_blocks` and erases them after it, whether it returns or unwinds.
    pub(crate) fn with_blocks<R>(
        &mut self,
        blocks: usize,
        use_blocks: impl FnOnce(&mut [Block]) -> R,
    ) -> Result<R, OutOfMemory> {
        if self.mapped_kib() < blocks {
            // Unmapped first, so that both never exist at once.
            self.mapping = None;
            self.mapping = Some(Mapping::new(blocks)?);
        }
        let mapping = self.mapping.as_mut().expect("mapped above");
        let lent = Lent(&mut mapping.as_mut_slice()[..blocks]);
        Ok(use_blocks(lent.0))
    }
}

impl fmt::Debug for KdfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KdfMemory").field("mapped_kib", &self.mapped_kib()).field("locked", &self.is_locked()).finish()
    }
}

/// Blocks that are erased when the loan ends.
struct Lent<'a>(&'a mut [Block]);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        for block in self.0.iter_mut() {
            block.as_mut().zeroize();
        }
    }
}

/// One anonymous private mapping of whole blocks.
struct Mapping {
    start: NonNull<Block>,
    blocks: usize,
    locked: bool,
}

impl Mapping {
    fn new(blocks: usize) -> Result<Self, OutOfMemory> {
        let bytes = blocks.checked_mul(Block::SIZE).filter(|&bytes| bytes > 0).ok_or(OutOfMemory)?;
        // SAFETY: with a null address the kernel chooses a range that overlaps nothing of ours.
        let address = unsafe {
            rustix::mm::mmap_anonymous(ptr::null_mut(), bytes, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        }
        .map_err(|_| OutOfMemory)?;
        let start = NonNull::new(address.cast::<Block>()).ok_or(OutOfMemory)?;
        let mut mapping = Self { start, blocks, locked: false };
        mapping.advise();
        Ok(mapping)
    }

    /// Asks for what helps; none of it is needed, so refusals are passed over.
    fn advise(&mut self) {
        let (address, bytes) = self.range();
        // SAFETY: the range is the mapping just made; neither advice changes its content or its validity.
        #[cfg(target_os = "linux")]
        unsafe {
            let _ = rustix::mm::madvise(address, bytes, Advice::LinuxDontDump);
            if bytes < HUGE_PAGES_BELOW_BYTES {
                let _ = rustix::mm::madvise(address, bytes, Advice::LinuxHugepage);
            }
        }
        // SAFETY: the range is the mapping just made; locking changes neither its content nor its validity.
        self.locked = unsafe { rustix::mm::mlock(address, bytes) }.is_ok();
    }

    fn range(&self) -> (*mut c_void, usize) {
        (self.start.as_ptr().cast(), self.blocks * Block::SIZE)
    }

    fn as_mut_slice(&mut self) -> &mut [Block] {
        // SAFETY: the mapping is `blocks` blocks long and page-aligned, hence aligned for `Block`; anonymous memory
        // starts as zeros, and every bit pattern is a valid `Block` (an array of u64). `self` owns it and is borrowed
        // mutably for as long as the slice lives.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.blocks) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // Already erased at the end of every loan.
        let (address, bytes) = self.range();
        // SAFETY: the range is this mapping, and no slice of it outlives `self`.
        let unmapped = unsafe { rustix::mm::munmap(address, bytes) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}

// SAFETY: the mapping belongs to this value alone, and pages are not bound to a thread.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference only the length can be read.
unsafe impl Sync for Mapping {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zero_when_lent_and_zero_again_after_the_loan() {
        let mut memory = KdfMemory::new();
        memory
            .with_blocks(64, |blocks| {
                assert!(blocks.iter().all(|block| block.as_ref().iter().all(|&word| word == 0)));
                for block in blocks {
                    block.as_mut().fill(0xA5A5);
                }
            })
            .unwrap();
        let mapping = memory.mapping.as_mut().unwrap();
        assert!(mapping.as_mut_slice().iter().all(|block| block.as_ref().iter().all(|&word| word == 0)));
    }

    #[test]
    fn blocks_are_erased_even_if_the_derivation_unwinds() {
        let mut memory = KdfMemory::new();
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _ = memory.with_blocks(8, |blocks| {
                blocks[7].as_mut().fill(0xA5A5);
                panic!("in the middle of a derivation");
            });
        }));
        assert!(unwound.is_err());
        let mapping = memory.mapping.as_mut().unwrap();
        assert!(mapping.as_mut_slice()[7].as_ref().iter().all(|&word| word == 0));
    }

    #[test]
    fn memory_is_mapped_once_and_grown_only_when_more_is_needed() {
        let mut memory = KdfMemory::new();
        assert_eq!(memory.mapped_kib(), 0);
        for (asked, mapped) in [(64, 64), (32, 64), (64, 64), (128, 128)] {
            memory.with_blocks(asked, |blocks| assert_eq!(blocks.len(), asked)).unwrap();
            assert_eq!(memory.mapped_kib(), mapped);
        }
    }

    #[test]
    fn more_memory_than_any_machine_has_is_an_error() {
        let mut memory = KdfMemory::new();
        assert_eq!(memory.with_blocks(usize::MAX / 2048, |_| ()), Err(OutOfMemory));
        assert_eq!(memory.with_blocks(usize::MAX, |_| ()), Err(OutOfMemory));
        assert_eq!(memory.mapped_kib(), 0);
    }
}
