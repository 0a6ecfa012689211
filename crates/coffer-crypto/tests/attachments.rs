//! Attachments as streams of chunks: what was written comes back, and nothing else ever does.

#![allow(clippy::unwrap_used, reason = "helpers of tests, which clippy does not count as tests")]

use coffer_crypto::derive::{self, TenantScope};
use coffer_crypto::secret::{FileWrappingKey, SecretKey, TenantKey};
use coffer_crypto::stream::{
    CHUNK_BYTES, CHUNK_OVERHEAD_BYTES, ContentDigest, FileAltered, FileOpener, FilePlace, FileSealer, HEADER_BYTES,
    HeaderDigest, stored_bytes,
};
use proptest::prelude::*;

const SCOPE: TenantScope = TenantScope { vault: [1; 16], tenant: [4; 16], epoch: 7 };
const PLACE: FilePlace = FilePlace { scope: SCOPE, file: [5; 16] };
const STORED_CHUNK: usize = CHUNK_BYTES + CHUNK_OVERHEAD_BYTES;

fn wrapping_key(scope: &TenantScope) -> FileWrappingKey {
    derive::derive_file_wrapping_key(&TenantKey::parse(&[9; 32]).unwrap(), scope)
}

/// Bytes that differ from chunk to chunk.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at % 249).unwrap()).collect()
}

/// Seals `content`, with randomness that follows from `seed`.
fn sealed(place: &FilePlace, content: &[u8], seed: u8) -> (HeaderDigest, Vec<u8>) {
    let mut drawn = seed;
    let mut random = |buffer: &mut [u8]| {
        drawn = drawn.wrapping_add(1);
        buffer.fill(drawn);
    };
    let bytes = content.len() as u64;
    let mut sealer = FileSealer::begin(&wrapping_key(&place.scope), place, bytes, &mut random).unwrap();
    let mut file = sealer.header().to_vec();
    let mut left = content;
    while let Some(size) = sealer.next_chunk() {
        // What a buffer held before never gets out as padding.
        let mut buffer = vec![0xEE; size.stored];
        let (chunk, rest) = left.split_at(size.content);
        buffer[..size.content].copy_from_slice(chunk);
        left = rest;
        sealer.seal_chunk(&mut buffer);
        file.extend(buffer);
    }
    assert!(left.is_empty());
    assert_eq!(Some(file.len() as u64), stored_bytes(bytes));
    (*sealer.digest(), file)
}

fn opened(place: &FilePlace, digest: &HeaderDigest, file: &[u8]) -> Result<Vec<u8>, FileAltered> {
    let (header, mut chunks) = file.split_at_checked(HEADER_BYTES).ok_or(FileAltered)?;
    let key = wrapping_key(&place.scope);
    let mut opener = FileOpener::begin(&key, place, digest, header, file.len() as u64)?;
    let mut content = Vec::new();
    while let Some(size) = opener.next_chunk() {
        let (chunk, rest) = chunks.split_at_checked(size.stored).ok_or(FileAltered)?;
        chunks = rest;
        content.extend(opener.open_chunk(&mut chunk.to_vec())?);
    }
    Ok(content)
}

#[test]
fn content_of_every_length_around_a_chunk_comes_back() {
    for bytes in [0, 1, 1023, 1024, 1025, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_001] {
        let (digest, file) = sealed(&PLACE, &content(bytes), 0);
        assert_eq!(opened(&PLACE, &digest, &file).unwrap(), content(bytes), "{bytes} bytes");
    }
}

#[test]
fn two_files_of_one_content_share_no_chunk() {
    let (one, other) = (sealed(&PLACE, &content(100), 0).1, sealed(&PLACE, &content(100), 1).1);
    assert_ne!(one[HEADER_BYTES..], other[HEADER_BYTES..]);
}

#[test]
fn chunks_reordered_dropped_doubled_cut_or_added_are_refused() {
    let (digest, file) = sealed(&PLACE, &content(4 * CHUNK_BYTES), 0);
    let (header, rest) = file.split_at(HEADER_BYTES);
    let chunks: Vec<&[u8]> = rest.chunks(STORED_CHUNK).collect();
    assert_eq!(chunks.len(), 4);
    let with = |order: &[usize]| {
        let parts: Vec<u8> = order.iter().flat_map(|chunk| chunks[*chunk]).copied().collect();
        opened(&PLACE, &digest, &[header, &parts].concat())
    };
    assert!(with(&[0, 1, 2, 3]).is_ok());
    for order in [
        &[1, 0, 2, 3][..],
        &[0, 1, 3, 2],
        &[0, 1, 1, 3],
        &[0, 0, 2, 3],
        &[0, 1, 2],
        &[1, 2, 3],
        &[0, 1, 2, 3, 3],
        &[0, 1, 2, 2],
        &[],
    ] {
        assert_eq!(with(order), Err(FileAltered), "{order:?}");
    }
    for cut in [0, 1, HEADER_BYTES, file.len() - STORED_CHUNK, file.len() - 1] {
        assert_eq!(opened(&PLACE, &digest, &file[..cut]), Err(FileAltered), "cut at {cut}");
    }
    assert_eq!(opened(&PLACE, &digest, &[&file[..], &[0]].concat()), Err(FileAltered));
}

/// The length is believed only because the header's digest and the wrapping vouch for it: the chunks of a file that is
/// one chunk shorter do not pass for it either.
#[test]
fn a_file_of_whole_chunks_does_not_end_early() {
    let mut random = |buffer: &mut [u8]| buffer.fill(3);
    let key = wrapping_key(&SCOPE);
    let mut sealer = FileSealer::begin(&key, &PLACE, 2 * CHUNK_BYTES as u64, &mut random).unwrap();
    let mut first = vec![7; STORED_CHUNK];
    sealer.seal_chunk(&mut first);
    let mut opener =
        FileOpener::begin(&key, &PLACE, sealer.digest(), sealer.header(), (HEADER_BYTES + 2 * STORED_CHUNK) as u64)
            .unwrap();
    assert!(opener.open_chunk(&mut first.clone()).is_ok());
    assert_eq!(opener.open_chunk(&mut first).err(), Some(FileAltered), "the first chunk again in the last one's place");
}

#[test]
fn attack_33_a_file_moved_to_another_tenant_epoch_vault_or_file_does_not_open() {
    let (digest, file) = sealed(&PLACE, &content(1000), 0);
    for elsewhere in [
        FilePlace { file: [6; 16], ..PLACE },
        FilePlace { scope: TenantScope { tenant: [5; 16], ..SCOPE }, ..PLACE },
        FilePlace { scope: TenantScope { epoch: 8, ..SCOPE }, ..PLACE },
        FilePlace { scope: TenantScope { vault: [2; 16], ..SCOPE }, ..PLACE },
    ] {
        assert_eq!(opened(&elsewhere, &digest, &file), Err(FileAltered), "{elsewhere:?}");
        // Even where the name in the header was changed to fit.
        let mut renamed = file.clone();
        renamed[16..32].copy_from_slice(&elsewhere.file);
        let digest = coffer_crypto::stream::header_digest(&renamed[..HEADER_BYTES]);
        assert_eq!(opened(&elsewhere, &digest, &renamed), Err(FileAltered), "{elsewhere:?}, renamed");
    }
    // Chunks under another header of the same tenant, and a header that the tenant's row does not name.
    let other_place = FilePlace { file: [6; 16], ..PLACE };
    let (other_digest, other) = sealed(&other_place, &content(1000), 9);
    let mixed = [&other[..HEADER_BYTES], &file[HEADER_BYTES..]].concat();
    assert_eq!(opened(&other_place, &other_digest, &mixed), Err(FileAltered));
    assert_eq!(opened(&PLACE, &other_digest, &file), Err(FileAltered));
}

#[test]
fn a_content_has_one_digest_for_each_tenant() {
    let digest = |scope: &TenantScope, parts: &[&[u8]]| {
        let key = derive::derive_file_digest_key(&TenantKey::parse(&[9; 32]).unwrap(), scope);
        let mut digest = ContentDigest::new(&key);
        for part in parts {
            digest.update(part);
        }
        digest.finish()
    };
    assert_eq!(digest(&SCOPE, &[b"ab", b"c"]), digest(&SCOPE, &[b"abc"]));
    assert_ne!(digest(&SCOPE, &[b"abc"]), digest(&SCOPE, &[b"abd"]));
    assert_ne!(digest(&SCOPE, &[b"abc"]), digest(&TenantScope { tenant: [5; 16], ..SCOPE }, &[b"abc"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_content_comes_back(content in prop::collection::vec(any::<u8>(), 0..3_000), seed: u8) {
        let (digest, file) = sealed(&PLACE, &content, seed);
        prop_assert_eq!(opened(&PLACE, &digest, &file), Ok(content));
    }

    #[test]
    fn any_flipped_bit_is_refused(at: prop::sample::Index, bit in 0..8_u32) {
        let (digest, mut file) = sealed(&PLACE, &content(70_000), 0);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert_eq!(opened(&PLACE, &digest, &file), Err(FileAltered));
    }

    #[test]
    fn no_bytes_make_it_panic(file in prop::collection::vec(any::<u8>(), 0..400)) {
        let digest = coffer_crypto::stream::header_digest(&file[..file.len().min(HEADER_BYTES)]);
        prop_assert_eq!(opened(&PLACE, &digest, &file), Err(FileAltered));
    }
}
