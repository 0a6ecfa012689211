//! The recovery kit: the one text that opens a vault without any account, shown once, printed or saved by its owner. Or
//! its shares: as many texts, of which so many together do the same.
//! Layout: docs/FORMAT.md §4.10. Pure.

use std::fmt;
use std::fmt::Write as _;

use coffer_crypto::generate::words_of;
use coffer_crypto::recovery;
use coffer_crypto::recovery::kit::{self, RecoveryCodeError};
use coffer_crypto::recovery::shares::{self, JoinError, Share, ShareCodeError, Split};
use coffer_crypto::secret::{RecoverySeed, SecretBytes};
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::chain::Hash;
use crate::fault::{CallError, Fault};

/// Room for a share's page.
const PAGE_BYTES: usize = 128 * 1024;

/// A kit that has just been made, perhaps split. Not stored anywhere; whoever drops it has dropped the only copy.
pub struct RecoveryKit {
    pub(crate) seed: RecoverySeed,
    /// In the order of their numbers.
    pub(crate) shares: Option<Vec<Share>>,
    vault: VaultId,
    vault_name: String,
    pub(crate) founding: Hash,
    made_at: Timestamp,
}

/// A group of a code that was handed out, which its owner may be asked to retype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KitGroup {
    /// The share it is of, by its number from 1; `None` for the kit itself.
    pub share: Option<u8>,
    /// Which group of the code, from 0.
    pub position: usize,
}

/// One share of a kit, as a file to print or save.
pub struct ShareFile {
    /// Which share, from 1.
    pub number: u8,
    /// An HTML page of one sheet, as text readable, too.
    pub page: SecretBytes,
}

/// What a share's text says.
#[derive(Debug)]
pub struct ReadShare {
    pub(crate) share: Share,
    /// As [`ReadKit::founding`].
    pub(crate) founding: Option<[u8; 32]>,
}

impl ReadShare {
    /// Which share it is, from 1.
    pub const fn number(&self) -> u8 {
        self.share.number()
    }

    /// How its seed is split.
    pub const fn split(&self) -> Split {
        self.share.split()
    }
}

/// Why shares were not joined to a kit. Nothing has been reconstructed.
#[derive(Debug, thiserror::Error)]
pub enum SharesError {
    /// The vault knows another share of that number, or none.
    #[error("share {number} is false: the vault knows no such share")]
    Forged {
        /// Which.
        number: u8,
    },
    /// They are of another vault, or the vault's recovery is not split.
    #[error("the shares are not of this vault's recovery")]
    Other,
    /// They do not come to a seed.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// The vault or the machine under it failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl SharesError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forged { .. } => "share_forged",
            Self::Join(JoinError::False) => "shares_false",
            Self::Other => "other_kit",
            Self::Join(JoinError::Strangers) => "shares_mixed",
            Self::Join(JoinError::Twofold { .. }) => "share_twofold",
            Self::Join(JoinError::TooFew { .. }) => "shares_too_few",
            Self::Call(error) => error.code(),
        }
    }
}

impl From<Fault> for SharesError {
    fn from(fault: Fault) -> Self {
        Self::Call(fault.into())
    }
}

/// What a kit's text says.
#[derive(Debug)]
pub struct ReadKit {
    /// What the recovery code stands for.
    pub seed: RecoverySeed,
    /// SHA-256 of the vault's founding statement: which vault it is a kit of. `None` if only the code was given.
    pub founding: Option<[u8; 32]>,
}

/// A text that somebody brings to recover with.
#[derive(Debug)]
pub enum RecoveryText {
    /// A kit.
    Kit(ReadKit),
    /// A share of one.
    Share(ReadShare),
}

/// Why a text is neither a kit nor a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryTextError {
    /// As long as a kit's code, and none.
    #[error(transparent)]
    Kit(RecoveryCodeError),
    /// As long as a share's code, and none.
    #[error(transparent)]
    Share(ShareCodeError),
    /// Neither as long as the one nor as the other.
    #[error("this is no recovery kit, and no share of one")]
    Neither,
}

impl fmt::Debug for RecoveryKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKit(..)")
    }
}

impl RecoveryKit {
    pub(crate) fn new(
        seed: RecoverySeed,
        shares: Option<Vec<Share>>,
        vault: VaultId,
        founding: Hash,
        vault_name: String,
        made_at: Timestamp,
    ) -> Self {
        Self { seed, shares, vault, vault_name, founding, made_at }
    }

    /// How it is split; `None` if it is one kit.
    pub fn split(&self) -> Option<Split> {
        self.shares.as_ref().and_then(|shares| shares.first()).map(Share::split)
    }

    /// Groups of each code that is handed out: of the kit's, or of every share's.
    pub const fn groups(&self) -> usize {
        if self.shares.is_some() { shares::GROUPS } else { kit::GROUPS }
    }

    /// Words that stand for its public keys: what stewards compare before they trust a recovery that was renewed.
    pub fn fingerprint(&self) -> String {
        words_of(&recovery::keys_digest_of(&self.seed))
    }

    /// Its shares, in the order of their numbers; none if it was not split. Whoever splits keeps no kit beside them.
    pub fn share_files(&self) -> Vec<ShareFile> {
        let shares = self.shares.iter().flatten();
        shares.map(|share| ShareFile { number: share.number(), page: self.share_page(share) }).collect()
    }

    /// The kit as a text file to print or save. English throughout, so that whoever finds it in ten years can act on it.
    pub fn to_text(&self) -> SecretBytes {
        let code = self.seed.to_recovery_code();
        let age = recovery::derive_age_identity(&self.seed).encode();
        let expose = |secret: &SecretBytes| Zeroizing::new(String::from_utf8_lossy(secret.expose()).into_owned());
        let text = format!(
            "COFFER RECOVERY KIT\n\
             \n\
             Vault        {name}\n\
             Vault id     {vault}\n\
             Founded as   {founding}\n\
             Made         {made}\n\
             Fingerprint  {fingerprint}\n\
             \n\
             Whoever holds this text can read everything in the vault and in its\n\
             backups. Print it, or keep it on a medium that is locked away. Coffer\n\
             does not keep a copy and cannot show it again.\n\
             \n\
             Recovery code\n\
             \n\
             {code}\n\
             \n\
             To restore a backup on another computer:\n\
             \x20   coffer backup restore BACKUP --kit THIS-FILE --to NEW-FOLDER\n\
             \n\
             A backup is an ordinary age file with a tar archive in it. The stock tools\n\
             age and tar open it with this identity, saved in a file of its own:\n\
             \n\
             {age}\n\
             \n\
             What is inside remains encrypted under the recovery code; docs/FORMAT.md of\n\
             Coffer's source says how, completely enough to write another program.\n",
            name = self.vault_name,
            vault = self.vault,
            founding = hex::encode(self.founding),
            made = self.made_at,
            fingerprint = self.fingerprint(),
            code = in_lines(&expose(&code), kit::GROUPS / 2).as_str(),
            age = expose(&age).as_str(),
        );
        SecretBytes::new(text.into_bytes())
    }

    /// A share as a page: its text, and its code once more for a camera.
    fn share_page(&self, share: &Share) -> SecretBytes {
        let (number, split) = (share.number(), share.split());
        let code = share.to_code();
        let code = Zeroizing::new(String::from_utf8_lossy(code.expose()).into_owned());
        // Room for all of it at once: growing would leave parts behind.
        let mut page = String::with_capacity(PAGE_BYTES);
        let written = write!(
            page,
            "<!doctype html>\n\
             <meta charset=\"utf-8\">\n\
             <title>Share {number} of {count}</title>\n\
             <pre>\n\
             COFFER RECOVERY SHARE {number} OF {count}\n\
             \n\
             Vault        {name}\n\
             Vault id     {vault}\n\
             Founded as   {founding}\n\
             Made         {made}\n\
             Fingerprint  {fingerprint}\n\
             \n\
             Any {needed} of the {count} shares together read everything in the vault and in\n\
             its backups; fewer read nothing. Print this one, or keep it on a medium\n\
             that is locked away, apart from the others, and remove this file. Coffer\n\
             does not keep a copy and cannot show it again.\n\
             \n\
             Share code\n\
             \n\
             {code}\n\
             \n\
             To use it, bring {needed} shares together at one computer:\n\
             \x20   coffer backup restore BACKUP --share FILE --share FILE --to NEW-FOLDER\n\
             \x20   coffer --vault FOLDER account recover NAME --share FILE --share FILE\n\
             A FILE is this one, or a text with the share code alone, as typed from paper.\n\
             docs/FORMAT.md of Coffer's source says how shares are joined, completely\n\
             enough to write another program.\n\
             </pre>\n\
             {picture}\n",
            count = split.shares(),
            needed = split.needed(),
            name = escaped(&self.vault_name),
            vault = self.vault,
            founding = hex::encode(self.founding),
            made = self.made_at,
            fingerprint = self.fingerprint(),
            code = in_lines(&code, 6).as_str(),
            picture = picture_of(&code).as_str(),
        );
        written.expect("a text takes what is written to it");
        SecretBytes::new(page.into_bytes())
    }

    /// The vault it opens.
    pub(crate) const fn vault(&self) -> VaultId {
        self.vault
    }

    /// Whether `typed` is that group of the code, in whatever case. Only of codes that were handed out: whoever splits a
    /// kit has no code of the whole.
    pub fn group_matches(&self, group: KitGroup, typed: &str) -> bool {
        let code = match (group.share, &self.shares) {
            (None, None) => Some(self.seed.to_recovery_code()),
            (Some(number), Some(shares)) => shares.iter().find(|share| share.number() == number).map(Share::to_code),
            _ => None,
        };
        let Some(code) = code else { return false };
        let code = Zeroizing::new(String::from_utf8_lossy(code.expose()).into_owned());
        code.split(' ').nth(group.position).is_some_and(|group| group.eq_ignore_ascii_case(typed.trim()))
    }
}

/// Reads a kit's text, or a text that is only the recovery code.
pub fn parse_recovery_kit(text: &str) -> Result<ReadKit, RecoveryCodeError> {
    const HEADING: &str = "Recovery code";
    const NEXT: &str = "To restore a backup";
    let code = match text.split_once(HEADING) {
        Some((_, rest)) => rest.split_once(NEXT).map_or(rest, |(code, _)| code),
        None => text,
    };
    Ok(ReadKit { seed: RecoverySeed::parse_recovery_code(code)?, founding: founding_of(text) })
}

/// Reads a share's page, or a text that is only the share's code.
pub fn parse_recovery_share(text: &str) -> Result<ReadShare, ShareCodeError> {
    const HEADING: &str = "Share code";
    const NEXT: &str = "To use it";
    let code = match text.split_once(HEADING) {
        Some((_, rest)) => rest.split_once(NEXT).map_or(rest, |(code, _)| code),
        None => text,
    };
    Ok(ReadShare { share: Share::parse_code(code)?, founding: founding_of(text) })
}

/// Reads a text that is a kit or a share, or only the code of one.
pub fn parse_recovery_text(text: &str) -> Result<RecoveryText, RecoveryTextError> {
    match (parse_recovery_kit(text), parse_recovery_share(text)) {
        (Ok(kit), _) => Ok(RecoveryText::Kit(kit)),
        (_, Ok(share)) => Ok(RecoveryText::Share(share)),
        (Err(RecoveryCodeError::Length { .. }), Err(ShareCodeError::Length { .. })) => Err(RecoveryTextError::Neither),
        (Err(RecoveryCodeError::Length { .. }), Err(error)) => Err(RecoveryTextError::Share(error)),
        (Err(error), _) => Err(RecoveryTextError::Kit(error)),
    }
}

/// Joins shares where nothing of the vault can be read: they vouch for each other, and the restored vault has to be the
/// one they name.
pub fn join_shares(given: Vec<ReadShare>) -> Result<ReadKit, SharesError> {
    let mut founding = None;
    let mut shares = Vec::with_capacity(given.len());
    for ReadShare { share, founding: named } in given {
        if founding.is_some() && named.is_some() && founding != named {
            return Err(JoinError::Strangers.into());
        }
        founding = founding.or(named);
        shares.push(share);
    }
    Ok(ReadKit { seed: shares::join(&shares)?, founding })
}

/// As [`join_shares`], after each share was held against the digests the vault has, by their numbers from 1: a false one
/// is told by its number, before anything is reconstructed.
pub(crate) fn join_known_shares(
    given: Vec<ReadShare>,
    vault: VaultId,
    known: &[ByteArray<32>],
) -> Result<ReadKit, SharesError> {
    for ReadShare { share, .. } in &given {
        let number = share.number();
        let known = usize::from(number).checked_sub(1).and_then(|index| known.get(index));
        if known.is_none_or(|known| **known != share.digest(vault.as_bytes())) {
            return Err(SharesError::Forged { number });
        }
    }
    join_shares(given)
}

/// The hash of the founding statement that a kit or share names.
fn founding_of(text: &str) -> Option<[u8; 32]> {
    const FOUNDING: &str = "Founded as";
    let founding = text.lines().find_map(|line| line.strip_prefix(FOUNDING));
    founding.and_then(|digits| hex::decode(digits.trim()).ok()?.try_into().ok())
}

/// The code as a QR code (ISO/IEC 18004), in SVG: letters and digits only, so that it stays small.
fn picture_of(code: &str) -> Zeroizing<String> {
    const PIXELS: u32 = 240;
    let drawn = QrCode::with_error_correction_level(code, EcLevel::Q).expect("85 characters fit a QR code");
    let svg = drawn.render::<svg::Color<'_>>().min_dimensions(PIXELS, PIXELS).build();
    // Without the XML declaration, which has no place inside of HTML.
    let start = svg.find("<svg").unwrap_or(0);
    let picture = Zeroizing::new(svg[start..].to_owned());
    drop(Zeroizing::new(svg));
    picture
}

/// Text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// So many groups of a code to a line, indented.
fn in_lines(code: &str, groups: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * code.len()));
    for (index, group) in code.split(' ').enumerate() {
        text.push_str(match (index, index % groups) {
            (0, _) => "    ",
            (_, 0) => "\n    ",
            _ => " ",
        });
        text.push_str(group);
    }
    text
}

#[cfg(test)]
mod tests {
    use coffer_crypto::secret::SecretKey;
    use subtle::ConstantTimeEq;

    use super::*;

    fn kit() -> RecoveryKit {
        let seed = RecoverySeed::parse(&[0x5a; 32]).unwrap();
        RecoveryKit::new(seed, None, VaultId::from_bytes([1; 16]), [7; 32], "Kanzlei".to_owned(), Timestamp::UNIX_EPOCH)
    }

    fn split_kit() -> RecoveryKit {
        let seed = RecoverySeed::parse(&[0x5a; 32]).unwrap();
        let shares = shares::split(&seed, Split::new(2, 3).unwrap(), &mut |buffer: &mut [u8]| buffer.fill(0x3c));
        RecoveryKit { shares: Some(shares), ..kit() }
    }

    #[test]
    fn the_code_in_a_kit_reads_back() {
        let text = kit().to_text();
        let text = std::str::from_utf8(text.expose()).unwrap();
        let read = parse_recovery_kit(text).unwrap();
        assert!(bool::from(read.seed.ct_eq(&kit().seed)));
        assert_eq!(read.founding, Some([7; 32]));
    }

    #[test]
    fn groups_are_compared_one_by_one() {
        let code = kit().seed.to_recovery_code();
        let code = String::from_utf8(code.expose().to_vec()).unwrap();
        let at = |position| KitGroup { share: None, position };
        for (position, group) in code.split(' ').enumerate() {
            assert!(kit().group_matches(at(position), &format!(" {} ", group.to_lowercase())));
        }
        assert!(!kit().group_matches(at(0), "AAAAA"));
        assert!(!kit().group_matches(at(99), ""));
        assert!(!kit().group_matches(KitGroup { share: Some(1), position: 0 }, code.split(' ').next().unwrap()));
    }

    #[test]
    fn groups_of_a_share_are_those_of_its_page_and_the_whole_code_is_nobodys() {
        let kit = split_kit();
        assert_eq!((kit.groups(), kit.split()), (17, Some(Split::new(2, 3).unwrap())));
        for file in kit.share_files() {
            let page = std::str::from_utf8(file.page.expose()).unwrap();
            let (_, code) = page.split_once("Share code\n").unwrap();
            let (code, _) = code.split_once("To use it").unwrap();
            for (position, group) in code.split_whitespace().enumerate() {
                assert!(kit.group_matches(KitGroup { share: Some(file.number), position }, group));
                assert!(!kit.group_matches(KitGroup { share: Some(9), position }, group));
            }
        }
        let whole = String::from_utf8(kit.seed.to_recovery_code().expose().to_vec()).unwrap();
        let first = whole.split(' ').next().unwrap();
        assert!(!kit.group_matches(KitGroup { share: None, position: 0 }, first));
    }

    #[test]
    fn a_text_is_told_for_a_kit_or_a_share_or_what_is_wrong_with_it() {
        let read = |text: &[u8]| parse_recovery_text(std::str::from_utf8(text).unwrap());
        assert!(matches!(read(kit().to_text().expose()), Ok(RecoveryText::Kit(_))));
        let shares = split_kit().share_files();
        let Ok(RecoveryText::Share(share)) = read(shares[1].page.expose()) else { panic!("a share's page is a share") };
        assert_eq!((share.number(), share.split()), (2, Split::new(2, 3).unwrap()));
        let code = kit().seed.to_recovery_code();
        assert!(matches!(read(code.expose()), Ok(RecoveryText::Kit(_))));

        let mistyped = |code: &[u8]| {
            let mut code = code.to_vec();
            code[1] = if code[1] == b'7' { b'8' } else { b'7' };
            read(&code)
        };
        let told = mistyped(code.expose()).unwrap_err();
        assert_eq!(told, RecoveryTextError::Kit(RecoveryCodeError::Group { group: 1 }));
        let share = split_kit().shares.unwrap().remove(0).to_code();
        let told = mistyped(share.expose()).unwrap_err();
        assert_eq!(told, RecoveryTextError::Share(ShareCodeError::Group { group: 1 }));
        assert_eq!(read(b"Dear diary").unwrap_err(), RecoveryTextError::Neither);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", kit()), "RecoveryKit(..)");
    }
}
