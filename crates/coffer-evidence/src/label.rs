//! The labels of the log's hashes and MACs, with their length (8 bytes, big-endian) in front.
//! Pure.
//!
//! They belong to the program's one table of labels, which lives beside cryptography this crate does without; the
//! engine, which sees both, holds them equal by a test.

/// Head of what is hashed into a leaf.
pub const LOG_LEAF: &[u8] = b"\0\0\0\0\0\0\0\x11coffer/1/log-leaf";
/// Head of what an entry's MAC covers.
pub const LOG_MAC: &[u8] = b"\0\0\0\0\0\0\0\x10coffer/1/log-mac";
/// HKDF's `info` for one step of the evolving key.
pub const LOG_STEP: &[u8] = b"\0\0\0\0\0\0\0\x11coffer/1/log-step";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_has_its_length_in_front() {
        for label in [LOG_LEAF, LOG_MAC, LOG_STEP] {
            let (length, text) = label.split_first_chunk::<8>().unwrap();
            assert_eq!(u64::from_be_bytes(*length), text.len() as u64);
        }
    }
}
