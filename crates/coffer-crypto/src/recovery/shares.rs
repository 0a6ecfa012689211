//! The recovery seed split among several people: so many of them together have it, fewer have nothing.
//! Layout: docs/FORMAT.md §4.10. Spec: Shamir, "How to share a secret" (CACM 22(11), 1979), byte by byte over GF(2⁸) with
//! the polynomial of AES. Pure.
//!
//! ```text
//! group 1        the share's number, how many are needed, how many there are, a zero; and a check character
//! groups 2–14    four characters of the share's value (256 bits, then four zero bits) and a check character
//! groups 15, 16  40 bits of the digest of recovery's public keys, which shares of one seed have in common
//! group 17       20 bits of SHA-256(label ‖ values of the groups before) and a check character
//! ```
//!
//! Check characters: [`crate::groups`].

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

use super::keys_digest_of;
use crate::Random;
use crate::derive::Id;
use crate::groups::{self, DATA_CHARACTERS, GroupsError, from_base32, to_base32};
use crate::label;
use crate::secret::sealed::Buffer;
use crate::secret::{RecoverySeed, SecretBytes, SecretKey, ShareValue};

/// Groups of a printed share, of five characters each.
pub const GROUPS: usize = 17;
/// Bytes by which shares of one seed are known to belong together.
pub const MARK_BYTES: usize = 5;

/// Most shares of one seed.
pub const SHARES_MAX: u8 = 16;
/// Fewest that may be asked for: one would be the kit itself.
pub const NEEDED_MIN: u8 = 2;

const HEAD: usize = DATA_CHARACTERS;
const VALUE: usize = 13 * DATA_CHARACTERS;
const MARK: usize = 2 * DATA_CHARACTERS;
/// Values of the groups that the checksum and the vault's digest are over.
const CONTENT: usize = HEAD + VALUE + MARK;

/// How a seed is split: how many shares there are, and how many of them it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    needed: u8,
    shares: u8,
}

/// No way to split a seed: 2 ≤ needed ≤ shares ≤ 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("recovery is split M/N: M of N shares, 2 or more, of 16 at most")]
pub struct InvalidSplit;

impl Split {
    /// `needed` of `shares`.
    pub const fn new(needed: u8, shares: u8) -> Result<Self, InvalidSplit> {
        if needed < NEEDED_MIN || needed > shares || shares > SHARES_MAX {
            return Err(InvalidSplit);
        }
        Ok(Self { needed, shares })
    }

    /// How many shares it takes.
    pub const fn needed(self) -> u8 {
        self.needed
    }

    /// How many there are.
    pub const fn shares(self) -> u8 {
        self.shares
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.needed, self.shares)
    }
}

impl FromStr for Split {
    type Err = InvalidSplit;

    fn from_str(text: &str) -> Result<Self, InvalidSplit> {
        let (needed, shares) = text.split_once('/').ok_or(InvalidSplit)?;
        let number = |text: &str| text.parse().map_err(|_| InvalidSplit);
        Self::new(number(needed)?, number(shares)?)
    }
}

/// One share of a recovery seed.
#[derive(Debug)]
pub struct Share {
    /// Which, from 1.
    number: u8,
    split: Split,
    mark: [u8; MARK_BYTES],
    value: ShareValue,
}

/// Why text is no share; groups are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareCodeError {
    /// Not 17 groups of 5.
    #[error("the share's code has {found} characters instead of 85")]
    Length {
        /// How many there are, spaces and dashes left out.
        found: usize,
    },
    /// A group holds something that does not belong there.
    #[error("group {group} of the share's code is mistyped")]
    Group {
        /// Which.
        group: usize,
    },
    /// Every group fits by itself, but not together.
    #[error("the share's code does not fit together")]
    Checksum,
}

impl From<GroupsError> for ShareCodeError {
    fn from(error: GroupsError) -> Self {
        match error {
            GroupsError::Length { found } => Self::Length { found },
            GroupsError::GroupLength { group } | GroupsError::Character { group } | GroupsError::Group { group } => {
                Self::Group { group }
            }
        }
    }
}

/// Why shares do not come to a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// Not all of them are of one seed, split in one way.
    #[error("the shares do not belong together")]
    Strangers,
    /// Two different ones have this number.
    #[error("there are two different shares with the number {number}: one of them is false")]
    Twofold {
        /// Which.
        number: u8,
    },
    /// More of them are needed.
    #[error("{missing} more of the shares are needed")]
    TooFew {
        /// How many more.
        missing: u8,
    },
    /// They come to something else than the seed they say they are of.
    #[error("one of the shares is false: together they do not come to the vault's recovery")]
    False,
}

impl Share {
    /// Which share it is, from 1.
    pub const fn number(&self) -> u8 {
        self.number
    }

    /// How the seed is split.
    pub const fn split(&self) -> Split {
        self.split
    }

    /// The first bytes of the digest of recovery's public keys ([`super::keys_digest`]).
    pub const fn mark(&self) -> &[u8; MARK_BYTES] {
        &self.mark
    }

    /// By what the vault knows the share. Its value is as hard to guess as the seed, so this tells nothing of it.
    pub fn digest(&self, vault: &Id) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(label::RECOVERY_SHARE.encode());
        hash.update(vault);
        hash.update(self.content().as_slice());
        hash.finalize().into()
    }

    /// Writes the share as groups, with one space between them.
    pub fn to_code(&self) -> SecretBytes {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        let content = self.content();
        values[..CONTENT].copy_from_slice(content.as_slice());
        values[CONTENT..].copy_from_slice(&checksum(content.as_slice()));
        SecretBytes::new(groups::write(values.as_slice()))
    }

    /// Reads a share as typed: case, spaces and dashes do not matter, and O, I, L count as 0, 1, 1.
    pub fn parse_code(typed: &str) -> Result<Self, ShareCodeError> {
        let mut values = Zeroizing::new([0; GROUPS * DATA_CHARACTERS]);
        groups::read(typed, values.as_mut_slice())?;
        let (content, of_checksum) = values.split_at(CONTENT);
        if of_checksum != checksum(content) {
            return Err(ShareCodeError::Checksum);
        }
        let (head, rest) = content.split_at(HEAD);
        let (of_value, of_mark) = rest.split_at(VALUE);
        let split = Split::new(head[1], head[2]).map_err(|_| ShareCodeError::Checksum)?;
        let mut spare = 0;
        let value = ShareValue::fill_with(|buffer| spare = from_base32(of_value, buffer));
        let mut mark = [0; MARK_BYTES];
        from_base32(of_mark, &mut mark);
        if !(1..=split.shares).contains(&head[0]) || head[3] != 0 || spare != 0 {
            return Err(ShareCodeError::Checksum);
        }
        Ok(Self { number: head[0], split, mark, value })
    }

    /// Values of all groups but the last.
    fn content(&self) -> Zeroizing<[u8; CONTENT]> {
        let mut content = Zeroizing::new([0; CONTENT]);
        content[..HEAD].copy_from_slice(&[self.number, self.split.needed, self.split.shares, 0]);
        to_base32(self.value.expose_bytes(), &mut content[HEAD..HEAD + VALUE]);
        to_base32(&self.mark, &mut content[HEAD + VALUE..]);
        content
    }

    /// Whether both are the same share of the same split.
    fn is(&self, other: &Self) -> bool {
        *self.content() == *other.content()
    }
}

/// Splits a seed. Any `needed` of the shares come to it; fewer are as likely to be of any other seed.
pub fn split(seed: &RecoverySeed, split: Split, random: &mut dyn Random) -> Vec<Share> {
    let mark = mark_of(seed);
    let (needed, shares) = (usize::from(split.needed), usize::from(split.shares));
    let values = Gf256::split_bytes(needed, shares, seed.expose_bytes(), Lent(random))
        .expect("a split is within the limits of the field");
    let shares = values.into_iter().map(Zeroizing::new).map(|value| {
        let (&number, value) = value.split_first().expect("a share begins with its number");
        Share { number, split, mark, value: ShareValue::parse(value).expect("a share is as long as the seed") }
    });
    shares.collect()
}

/// Joins shares to the seed they are of. One that is there twice counts once; of more than are needed, the first ones serve.
pub fn join(shares: &[Share]) -> Result<RecoverySeed, JoinError> {
    let mut distinct: Vec<&Share> = Vec::new();
    for share in shares {
        if distinct.iter().any(|other| other.split != share.split || other.mark != share.mark) {
            return Err(JoinError::Strangers);
        }
        match distinct.iter().find(|other| other.number == share.number) {
            None => distinct.push(share),
            Some(other) if other.is(share) => {}
            Some(_) => return Err(JoinError::Twofold { number: share.number }),
        }
    }
    let given = u8::try_from(distinct.len()).expect("numbers are at most 16");
    let needed = distinct.first().map_or(NEEDED_MIN, |share| share.split.needed);
    if given < needed {
        return Err(JoinError::TooFew { missing: needed - given });
    }
    let mut points: Vec<Vec<u8>> = Vec::with_capacity(distinct.len());
    points.extend(distinct.iter().take(usize::from(needed)).map(|share| {
        let mut point = Vec::with_capacity(1 + ShareValue::BYTES);
        point.push(share.number);
        point.extend_from_slice(share.value.expose_bytes());
        point
    }));
    let joined = Gf256::combine_bytes(&points).map(Zeroizing::new);
    points.zeroize();
    let seed = RecoverySeed::parse(&joined.map_err(|_| JoinError::False)?).map_err(|_| JoinError::False)?;
    if mark_of(&seed) == distinct[0].mark { Ok(seed) } else { Err(JoinError::False) }
}

fn mark_of(seed: &RecoverySeed) -> [u8; MARK_BYTES] {
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&keys_digest_of(seed)[..MARK_BYTES]);
    mark
}

/// The first 20 bits of SHA-256(label ‖ values), five to a character.
fn checksum(content: &[u8]) -> [u8; DATA_CHARACTERS] {
    let mut hash = Sha256::new();
    hash.update(label::RECOVERY_SHARE_CHECKSUM.encode());
    hash.update(content);
    let digest = hash.finalize();
    let mut values = [0; DATA_CHARACTERS];
    to_base32(&digest[..3], &mut values);
    values
}

/// The caller's randomness, in the shape vsss-rs takes it.
pub(crate) struct Lent<'r>(pub(crate) &'r mut dyn Random);

impl rand_core::TryRng for Lent<'_> {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Lent<'_> {}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::subsequence;

    use super::*;
    use crate::groups::ALPHABET;

    const VAULT: Id = [1; 16];

    /// The same bytes again and again, so that tests repeat themselves.
    fn random(seed: u8) -> impl FnMut(&mut [u8]) {
        let mut state = u64::from(seed) + 1;
        move |buffer: &mut [u8]| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = state.to_be_bytes()[0];
            }
        }
    }

    fn seed(bytes: [u8; 32]) -> RecoverySeed {
        RecoverySeed::parse(&bytes).unwrap()
    }

    fn copy(share: &Share) -> Share {
        let Share { number, split, mark, .. } = *share;
        Share { number, split, mark, value: ShareValue::parse(share.value.expose()).unwrap() }
    }

    fn code(share: &Share) -> String {
        String::from_utf8(share.to_code().expose().to_vec()).unwrap()
    }

    /// How seeds may be split, and any choice of as many shares as are needed.
    fn splits_and_choices() -> impl Strategy<Value = (Split, Vec<usize>)> {
        (2u8..=16).prop_flat_map(|shares| {
            (2..=shares).prop_flat_map(move |needed| {
                let all: Vec<usize> = (0..usize::from(shares)).collect();
                subsequence(all, usize::from(needed))
                    .prop_map(move |chosen| (Split::new(needed, shares).unwrap(), chosen))
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        #[test]
        fn as_many_as_are_needed_come_to_the_seed_whichever_they_are(
            bytes: [u8; 32], (way, chosen) in splits_and_choices(), by: u8,
        ) {
            let shares = split(&seed(bytes), way, &mut random(by));
            prop_assert_eq!(shares.len(), usize::from(way.shares()));
            let mut some: Vec<Share> = chosen.iter().map(|&index| copy(&shares[index])).collect();
            some.reverse();
            let joined = join(&some).unwrap();
            prop_assert_eq!(joined.expose(), &bytes);
            some.pop();
            prop_assert_eq!(join(&some).err(), Some(JoinError::TooFew { missing: 1 }));
        }

        #[test]
        fn whatever_is_typed_is_a_share_or_refused(typed in "\\PC{0,120}", groups in vec("[0-9A-Z]{5}", 17)) {
            let _ = Share::parse_code(&typed);
            let _ = Share::parse_code(&groups.join(" "));
        }
    }

    /// Given all but one of the shares needed, and any other seed whatever, there is a last share with which they come to
    /// that one: their values, which is all of the seed that is written on them, say nothing of it.
    #[test]
    fn attack_31_one_share_less_than_needed_fits_every_seed_there_is() {
        proptest!(ProptestConfig::with_cases(40), |(
            bytes: [u8; 32], other: [u8; 32], (way, chosen) in splits_and_choices(), by: u8,
        )| {
            let shares = split(&seed(bytes), way, &mut random(by));
            let (last, known) = chosen.split_last().unwrap();
            let value = (0..32).map(|at| {
                let point = |index: usize| (shares[index].number, shares[index].value.expose()[at]);
                let mut points: Vec<(u8, u8)> = known.iter().map(|&index| point(index)).collect();
                points.push((0, other[at]));
                interpolate(&points, shares[*last].number)
            });
            let value: Vec<u8> = value.collect();
            let mut points: Vec<Vec<u8>> = known
                .iter()
                .map(|&index| [&[shares[index].number], shares[index].value.expose().as_slice()].concat())
                .collect();
            points.push([&[shares[*last].number], value.as_slice()].concat());
            prop_assert_eq!(Gf256::combine_bytes(&points).unwrap(), other.to_vec());
        });
    }

    /// The value at `x` of the polynomial through the points: Lagrange's, over the same field.
    fn interpolate(points: &[(u8, u8)], x: u8) -> u8 {
        let sum = points.iter().enumerate().fold(Gf256(0), |sum, (index, &(own, y))| {
            let others = points.iter().enumerate().filter(|(other, _)| *other != index);
            sum + others.fold(Gf256(y), |product, (_, &(other, _))| {
                product * (Gf256(x) - Gf256(other)) / (Gf256(own) - Gf256(other))
            })
        });
        sum.0
    }

    fn three_of_five() -> Vec<Share> {
        split(&seed([0x42; 32]), Split::new(3, 5).unwrap(), &mut random(7))
    }

    #[test]
    fn a_code_reads_back_however_it_is_typed() {
        for share in three_of_five() {
            let code = code(&share);
            assert_eq!(code.len(), 17 * 5 + 16);
            for typed in [code.clone(), code.to_lowercase(), code.replace(' ', "-"), code.replace('0', "o")] {
                assert!(Share::parse_code(&typed).unwrap().is(&share), "{typed}");
            }
        }
    }

    #[test]
    fn any_one_wrong_character_is_found_in_its_group() {
        let code = code(&three_of_five()[2]);
        for position in (0..code.len()).filter(|&position| code.as_bytes()[position] != b' ') {
            for &other in ALPHABET.iter().filter(|&&other| other != code.as_bytes()[position]) {
                let mut typed = code.clone().into_bytes();
                typed[position] = other;
                let group = position / 6 + 1;
                let read = Share::parse_code(&String::from_utf8(typed).unwrap());
                assert_eq!(read.err(), Some(ShareCodeError::Group { group }));
            }
        }
    }

    #[test]
    fn groups_of_different_shares_do_not_fit_together() {
        let shares = three_of_five();
        let (one, other) = (code(&shares[0]), code(&shares[1]));
        let mut mixed: Vec<&str> = one.split(' ').collect();
        mixed[5] = other.split(' ').nth(5).unwrap();
        assert_eq!(Share::parse_code(&mixed.join(" ")).err(), Some(ShareCodeError::Checksum));
    }

    #[test]
    fn shares_that_cannot_be_joined_are_told_apart() {
        let shares = three_of_five();
        let join_of = |some: &[&Share]| join(&some.iter().map(|share| copy(share)).collect::<Vec<_>>()).err();
        let mut false_one = copy(&shares[1]);
        false_one.value = ShareValue::parse(&[9; 32]).unwrap();
        let stranger = split(&seed([0x43; 32]), Split::new(3, 5).unwrap(), &mut random(7)).remove(2);
        assert_eq!(join_of(&[]), Some(JoinError::TooFew { missing: 2 }));
        // The same one twice counts once.
        assert_eq!(join_of(&[&shares[0], &shares[0], &shares[1]]), Some(JoinError::TooFew { missing: 1 }));
        assert_eq!(join_of(&[&shares[0], &shares[1], &false_one]), Some(JoinError::Twofold { number: 2 }));
        assert_eq!(join_of(&[&shares[0], &false_one, &shares[2]]), Some(JoinError::False));
        assert_eq!(join_of(&[&shares[0], &shares[1], &stranger]), Some(JoinError::Strangers));
    }

    #[test]
    fn digests_differ_by_share_and_vault() {
        let shares = three_of_five();
        let mut digests: Vec<_> = shares.iter().map(|share| share.digest(&VAULT)).collect();
        digests.push(shares[0].digest(&[2; 16]));
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
        assert!(!format!("{:?}", shares[0]).contains(&format!("{:?}", shares[0].value.expose()[0..4].to_vec())));
    }

    #[test]
    fn splits_are_read_and_held_to_their_bounds() {
        assert_eq!("3/5".parse(), Ok(Split { needed: 3, shares: 5 }));
        assert_eq!(Split::new(16, 16).unwrap().to_string(), "16/16");
        for refused in ["", "3", "1/2", "0/0", "4/3", "2/17", "2/5/3", "-2/5", "a/b", "300/300"] {
            assert_eq!(refused.parse::<Split>(), Err(InvalidSplit), "{refused}");
        }
    }
}
