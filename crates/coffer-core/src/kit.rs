//! The recovery kit: the one text that opens a vault without any account, shown once, printed or saved by its owner.
//! Layout: docs/FORMAT.md §4. Pure.

use std::fmt;

use coffer_crypto::recovery;
use coffer_crypto::recovery::kit::{GROUPS, RecoveryCodeError};
use coffer_crypto::secret::{RecoverySeed, SecretBytes};
use coffer_model::id::VaultId;
use coffer_model::time::Timestamp;
use zeroize::Zeroizing;

use crate::chain::Hash;

/// A kit that has just been made. Not stored anywhere; whoever drops it has dropped the only copy.
pub struct RecoveryKit {
    seed: RecoverySeed,
    vault: VaultId,
    vault_name: String,
    founding: Hash,
    made_at: Timestamp,
}

/// What a kit's text says.
#[derive(Debug)]
pub struct ReadKit {
    /// What the recovery code stands for.
    pub seed: RecoverySeed,
    /// SHA-256 of the vault's founding statement: which vault it is a kit of. `None` if only the code was given.
    pub founding: Option<[u8; 32]>,
}

impl fmt::Debug for RecoveryKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKit(..)")
    }
}

impl RecoveryKit {
    /// Groups of the recovery code, which the owner may be asked to retype.
    pub const GROUPS: usize = GROUPS;

    pub(crate) fn new(
        seed: RecoverySeed,
        vault: VaultId,
        founding: Hash,
        vault_name: String,
        made_at: Timestamp,
    ) -> Self {
        Self { seed, vault, vault_name, founding, made_at }
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
            code = in_two_lines(&expose(&code)).as_str(),
            age = expose(&age).as_str(),
        );
        SecretBytes::new(text.into_bytes())
    }

    /// The vault it opens.
    pub(crate) const fn vault(&self) -> VaultId {
        self.vault
    }

    /// Whether `typed` is the group at `position` (from 0) of the recovery code, in whatever case.
    pub fn group_matches(&self, position: usize, typed: &str) -> bool {
        let code = self.seed.to_recovery_code();
        let code = Zeroizing::new(String::from_utf8_lossy(code.expose()).into_owned());
        code.split(' ').nth(position).is_some_and(|group| group.eq_ignore_ascii_case(typed.trim()))
    }
}

/// Reads a kit's text, or a text that is only the recovery code.
pub fn parse_recovery_kit(text: &str) -> Result<ReadKit, RecoveryCodeError> {
    const HEADING: &str = "Recovery code";
    const NEXT: &str = "To restore a backup";
    const FOUNDING: &str = "Founded as";
    let code = match text.split_once(HEADING) {
        Some((_, rest)) => rest.split_once(NEXT).map_or(rest, |(code, _)| code),
        None => text,
    };
    let founding = text.lines().find_map(|line| line.strip_prefix(FOUNDING));
    let founding = founding.and_then(|digits| hex::decode(digits.trim()).ok()?.try_into().ok());
    Ok(ReadKit { seed: RecoverySeed::parse_recovery_code(code)?, founding })
}

/// The code's groups, seven to a line, so that it prints large.
fn in_two_lines(code: &str) -> Zeroizing<String> {
    let middle = code.match_indices(' ').nth(GROUPS / 2 - 1).map_or(code.len(), |(at, _)| at);
    let (first, second) = code.split_at(middle);
    Zeroizing::new(format!("    {first}\n    {}", second.trim_start()))
}

#[cfg(test)]
mod tests {
    use coffer_crypto::secret::SecretKey;
    use subtle::ConstantTimeEq;

    use super::*;

    fn kit() -> RecoveryKit {
        let seed = RecoverySeed::parse(&[0x5a; 32]).unwrap();
        RecoveryKit::new(seed, VaultId::from_bytes([1; 16]), [7; 32], "Kanzlei".to_owned(), Timestamp::UNIX_EPOCH)
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
        for (position, group) in code.split(' ').enumerate() {
            assert!(kit().group_matches(position, &format!(" {} ", group.to_lowercase())));
        }
        assert!(!kit().group_matches(0, "AAAAA"));
        assert!(!kit().group_matches(99, ""));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", kit()), "RecoveryKit(..)");
    }
}
