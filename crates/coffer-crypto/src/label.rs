//! Every label and context of the program, in one place, so that no two uses of a key can be mistaken for each other.
//! Encoding: docs/FORMAT.md §4.1. Pure.
//!
//! A label names what a derivation, a wrap, a sealing or a signature is for. A [`Context`] is a label and the fields
//! that go with it, each with its length in front, so that no choice of fields can be read as another.

use sha2::{Digest, Sha256};

/// What a key, a ciphertext, a MAC or a signature is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(&'static str);

impl Label {
    /// The label as it enters the cryptography: ASCII, without terminator.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// Length (8 bytes, big-endian), then the label: the head of every context and of every signed message.
    pub fn encode(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH_BYTES + self.0.len());
        push_field(&mut out, self.0.as_bytes());
        out
    }
}

macro_rules! labels {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Label = Label(concat!("coffer/1/", $text));)*
        /// All labels, for the test that holds them distinct and for the table in docs/FORMAT.md.
        pub const ALL: &[Label] = &[$($name),*];
    };
}

labels! {
    /// Key-derivation parameters, hashed into the slot key. Fields: algorithm, memory KiB, passes, lanes.
    KDF_PARAMS = "kdf-params";
    /// Slot key from Argon2id's output and the key factors. Fields: vault, account, slot, factor mask, parameters' digest.
    SLOT_KEY = "slot-key";

    /// Account master key under a slot key. Fields: vault, account, slot, kind.
    WRAP_ACCOUNT_MASTER_KEY = "wrap/account-master-key";
    /// An account's sealing seed under its master key. Fields: vault, account.
    WRAP_SEALING_SEED = "wrap/sealing-seed";
    /// An account's signing seed under its master key. Fields: vault, account.
    WRAP_SIGNING_SEED = "wrap/signing-seed";
    /// Directory key under an account master key. Fields: vault, account.
    WRAP_DIRECTORY_KEY = "wrap/directory-key";
    /// Tenant key under another key. Fields: vault, tenant, epoch.
    WRAP_TENANT_KEY = "wrap/tenant-key";
    /// An attachment's key and length under the tenant's file wrapping key. Fields: vault, tenant, epoch, file.
    WRAP_FILE_KEY = "wrap/file-key";

    /// An account's sealed state under its master key. Fields: vault, account.
    SEALED_STATE = "sealed-state";
    /// An account's saved searches under its master key. Fields: vault, account.
    SAVED_SEARCHES = "saved-searches";
    /// The names of tenants that an account keeps, under its master key. Fields: vault, account.
    TENANT_NAMES = "tenant-names";
    /// A tenant's name under its tenant key. Fields: vault, tenant.
    TENANT_NAME = "tenant-name";
    /// The backup plan under the plan key. Fields: vault.
    BACKUP_PLAN = "backup-plan";
    /// An administrator's signature over the backup plan. Message: the plan.
    BACKUP_PLAN_SIGNATURE = "backup-plan-signature";

    /// Where an invitation is found, from its activation key. Fields: vault.
    ACTIVATION_LOOKUP = "activation/lookup";
    /// An invitation's X-Wing private key, from its activation key. Fields: vault.
    ACTIVATION_SEALING_SEED = "activation/sealing-seed";
    /// An invitation's Ed25519 private key, from its activation key. Fields: vault.
    ACTIVATION_SIGNING_SEED = "activation/signing-seed";
    /// Activation key, from the code. No fields.
    ACTIVATION_KEY = "activation/key";
    /// Which vault an invitation is to, under its activation key. Fields: vault.
    INVITATION = "invitation";
    /// An invitation's signature over the keys of the account it became. Message: vault, account, time, both keys.
    ENROLMENT = "enrolment";

    /// Digest of a spare code in its account's sealed state. Fields: account, code.
    SPARE_CODE = "spare-code";

    /// Directory key sealed to an account. Fields: vault, account, directory generation.
    SEAL_DIRECTORY_KEY = "seal/directory-key";
    /// Directory key sealed to recovery. Fields: vault, directory generation.
    SEAL_DIRECTORY_KEY_TO_RECOVERY = "seal/directory-key-to-recovery";
    /// Tenant key sealed to an account. Fields: vault, tenant, epoch, account.
    SEAL_TENANT_KEY = "seal/tenant-key";
    /// Tenant key sealed to recovery. Fields: vault, tenant, epoch.
    SEAL_TENANT_KEY_TO_RECOVERY = "seal/tenant-key-to-recovery";
    /// A custodian's share of a tenant key, sealed to them. Fields: vault, tenant, epoch, account.
    SEAL_GLASS_SHARE = "seal/glass-share";
    /// The audit pair's seed sealed to an account. Fields: vault, pair's number, account.
    SEAL_AUDIT_SEED = "seal/audit-seed";
    /// The audit pair's seed sealed to recovery. Fields: vault, pair's number.
    SEAL_AUDIT_SEED_TO_RECOVERY = "seal/audit-seed-to-recovery";
    /// The office pair's seed sealed to an account. Fields: vault, pair's number, account.
    SEAL_OFFICE_SEED = "seal/office-seed";
    /// The office pair's seed sealed to recovery. Fields: vault, pair's number.
    SEAL_OFFICE_SEED_TO_RECOVERY = "seal/office-seed-to-recovery";
    /// Anything sealed to the office: names of tenants, incidents, alarms. Fields: vault, then what the use says.
    SEAL_TO_OFFICE = "seal/to-office";
    /// One process's stretch of log entries, sealed to the audit key. Fields: vault, log segment.
    SEAL_LOG_SESSION = "seal/log-session";
    /// First MAC key of a log segment, sealed to the audit key. Fields: vault, log segment.
    SEAL_LOG_MAC_KEY = "seal/log-mac-key";
    /// Commitment carried beside every sealing (RFC 9180 §5.3 exporter context). No fields.
    SEAL_COMMITMENT = "seal/commitment";
    /// Secret exported from a multi-message sealing (RFC 9180 §5.3 exporter context). No fields.
    SEAL_SESSION_SECRET = "seal/session-secret";
    /// Key of one message of a multi-message sealing. Field: its number.
    SEAL_SESSION_MESSAGE = "seal/session-message";

    /// SQLCipher raw key and salt of a tenant's file. Fields: vault, tenant, epoch.
    TENANT_DATABASE_KEY = "tenant-database-key";
    /// SQLCipher raw key and salt of the directory. Fields: vault.
    DIRECTORY_DATABASE_KEY = "directory-database-key";
    /// Key of a tenant's write tags. Fields: vault, tenant, epoch.
    TAG_KEY = "tag-key";
    /// One write tag. Message: the log index, 8 bytes big-endian.
    WRITE_TAG = "write-tag";
    /// Key that wraps the keys of a tenant's attachments. Fields: vault, tenant, epoch.
    FILE_WRAPPING_KEY = "file-wrapping-key";
    /// Key of the digests of a tenant's attachments. Fields: vault, tenant, epoch.
    FILE_DIGEST_KEY = "file-digest-key";
    /// Digest of an attachment's content. Message: the content.
    FILE_DIGEST = "file-digest";
    /// Public name of a tenant key. Fields: vault, tenant, epoch.
    KID = "kid";
    /// Public name of a directory key. Fields: vault, directory generation.
    DIRECTORY_KID = "directory-kid";
    /// Key of the header's MAC, from the directory key. Fields: vault.
    HEADER_MAC_KEY = "header-mac-key";
    /// The header's MAC. Message: the header, its MAC zero bytes.
    HEADER_MAC = "header-mac";
    /// Key of an account entry's MAC, from the account master key. Fields: vault, account.
    ACCOUNT_ENTRY_MAC_KEY = "account-entry-mac-key";
    /// An account entry's MAC. Message: the entry, its MAC zero bytes.
    ACCOUNT_ENTRY_MAC = "account-entry-mac";
    /// Where a login's slots are found. Message: the normalised login.
    LOGIN_LOOKUP = "login-lookup";
    /// Salt derived for a login nobody has. Message: the normalised login.
    DECOY_SALT = "decoy-salt";
    /// Slot and account identifiers derived for a login nobody has. Message: the normalised login.
    UNLOCK_DECOY = "unlock-decoy";
    /// By what equal secrets are found without keeping them, under a key that lives as long as the search and is stored
    /// nowhere. Message: the secret.
    SECRET_FINGERPRINT = "secret-fingerprint";
    /// Key of everything that is invented for a tenant's redacted twin. Stored nowhere. Fields: vault, tenant, epoch, seed.
    TWIN_KEY = "twin-key";

    /// A statement of the membership chain. Message: the statement without its signatures.
    STATEMENT = "statement";
    /// A second custodian's word for breaking the glass. Message: docs/FORMAT.md §5.8, kind 30.
    GLASS = "glass";
    /// A leaf of the log. Message: r, then the plaintext.
    LOG_LEAF = "log-leaf";
    /// MAC of a log entry under the evolving key. Message: the entry.
    LOG_MAC = "log-mac";
    /// One step of the evolving key. No fields.
    LOG_STEP = "log-step";

    /// Recovery's X-Wing private key. No fields.
    RECOVERY_SEALING_SEED = "recovery/sealing-seed";
    /// Recovery's Ed25519 private key. No fields.
    RECOVERY_SIGNING_SEED = "recovery/signing-seed";
    /// The age identity that opens every portable backup. No fields.
    RECOVERY_AGE_IDENTITY = "recovery/age-identity";
    /// Checksum over the printed seed. Message: the seed.
    RECOVERY_CHECKSUM = "recovery/checksum";
    /// Short name by which a kit and the vault recognise each other. Message: recovery's public keys.
    RECOVERY_FINGERPRINT = "recovery/fingerprint";
    /// Checksum over a printed share of the seed. Message: the values of the groups before it.
    RECOVERY_SHARE_CHECKSUM = "recovery/share-checksum";
    /// By what the vault knows a share of the seed. Message: vault, then the values of all groups but the last.
    RECOVERY_SHARE = "recovery/share";
}

const LENGTH_BYTES: usize = size_of::<u64>();

fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    out.extend_from_slice(&(field.len() as u64).to_be_bytes());
    out.extend_from_slice(field);
}

/// A label and its fields. Nothing secret goes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    label: Label,
    fields: Vec<u8>,
}

impl Context {
    /// Starts a context without fields.
    #[must_use]
    pub const fn new(label: Label) -> Self {
        Self { label, fields: Vec::new() }
    }

    /// Adds bytes: their number (8 bytes, big-endian), then the bytes.
    #[must_use]
    pub fn bytes(mut self, field: impl AsRef<[u8]>) -> Self {
        push_field(&mut self.fields, field.as_ref());
        self
    }

    /// Adds a number: as a field of 8 bytes, big-endian.
    #[must_use]
    pub fn u64(self, field: u64) -> Self {
        self.bytes(field.to_be_bytes())
    }

    /// Label (with its length), then SHA-256 of the fields: what HKDF and HPKE take as `info`.
    pub fn info(&self) -> Vec<u8> {
        let mut info = self.label.encode();
        info.extend_from_slice(&Sha256::digest(&self.fields));
        info
    }

    /// SHA-256 of [`Context::info`]: the whole context in 32 bytes.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.info()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_labels_are_the_same_and_none_is_a_prefix_of_another_once_encoded() {
        let encoded: HashSet<_> = ALL.iter().map(|label| label.encode()).collect();
        assert_eq!(encoded.len(), ALL.len());
        for one in &encoded {
            for other in &encoded {
                assert!(one == other || !other.starts_with(one));
            }
        }
    }

    #[test]
    fn moving_a_byte_from_one_field_to_the_next_gives_another_context() {
        let one = Context::new(KID).bytes(b"ab").bytes(b"c");
        let other = Context::new(KID).bytes(b"a").bytes(b"bc");
        assert_ne!(one.info(), other.info());
        assert_ne!(Context::new(KID).info(), Context::new(KID).bytes(b"").info());
    }

    #[test]
    fn info_is_the_label_with_its_length_and_the_digest_of_the_fields() {
        let info = Context::new(KID).bytes(b"v").u64(1).info();
        let fields = b"\0\0\0\0\0\0\0\x01v\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01";
        let mut expected = b"\0\0\0\0\0\0\0\x0ccoffer/1/kid".to_vec();
        expected.extend_from_slice(&Sha256::digest(fields));
        assert_eq!(info, expected);
    }
}
