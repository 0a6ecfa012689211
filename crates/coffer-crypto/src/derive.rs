//! Keys from keys, the MACs they make, and how a login finds its slots.
//! Labels and fields: docs/FORMAT.md §4.6. Spec: HKDF-Expand (RFC 5869 §2.3), HMAC (RFC 2104), both with
//! SHA-256. Pure.
//!
//! What is derived from is always a uniformly random key, so HKDF's first step is left out (RFC 5869 §3.3).

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::label::{self, Context, Label};
use crate::secret::{
    AccountMasterKey, DatabaseKey, DirectoryKey, FileWrappingKey, FingerprintKey, MacKey, SecretKey, TagKey, TenantKey,
};

/// Identifier of a vault, an account, a tenant, a slot or a file, as its 16 bytes.
pub type Id = [u8; 16];

/// One tenant key's place: which vault, which tenant, which epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantScope {
    /// The vault.
    pub vault: Id,
    /// The tenant.
    pub tenant: Id,
    /// Counted from 1; a revocation opens the next.
    pub epoch: u64,
}

impl TenantScope {
    fn context(&self, label: Label) -> Context {
        Context::new(label).bytes(self.vault).bytes(self.tenant).u64(self.epoch)
    }
}

/// Public name of a tenant key: tells whether a sealed key is the one the epoch was opened with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kid([u8; 32]);

impl Kid {
    /// Its 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes one as stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kid(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The MAC is not this key's over this label and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message authentication code does not hold")]
pub struct MacError;

/// Derives SQLCipher's raw key and salt of a tenant's file.
pub fn derive_tenant_database_key(tenant_key: &TenantKey, scope: &TenantScope) -> DatabaseKey {
    expand(tenant_key, &scope.context(label::TENANT_DATABASE_KEY))
}

/// Derives SQLCipher's raw key and salt of the directory.
pub fn derive_directory_database_key(directory_key: &DirectoryKey, vault: &Id) -> DatabaseKey {
    expand(directory_key, &Context::new(label::DIRECTORY_DATABASE_KEY).bytes(vault))
}

/// Derives the key of a tenant's write tags.
pub fn derive_tag_key(tenant_key: &TenantKey, scope: &TenantScope) -> TagKey {
    expand(tenant_key, &scope.context(label::TAG_KEY))
}

/// Derives the key that wraps the keys of a tenant's attachments ([`crate::stream`]).
pub fn derive_file_wrapping_key(tenant_key: &TenantKey, scope: &TenantScope) -> FileWrappingKey {
    expand(tenant_key, &scope.context(label::FILE_WRAPPING_KEY))
}

/// Derives the key under which contents of a tenant's attachments are compared ([`crate::stream::ContentDigest`]).
pub fn derive_file_digest_key(tenant_key: &TenantKey, scope: &TenantScope) -> MacKey {
    expand(tenant_key, &scope.context(label::FILE_DIGEST_KEY))
}

/// Derives the key by which a tenant's redacted twin is invented: the same for the same seed, and known only to whoever
/// may read the tenant, so that nobody else can try guesses at what the tenant holds against the twin.
pub fn derive_twin_key(tenant_key: &TenantKey, scope: &TenantScope, seed: u64) -> MacKey {
    expand(tenant_key, &scope.context(label::TWIN_KEY).u64(seed))
}

/// Derives a tenant key's public name.
pub fn derive_kid(tenant_key: &TenantKey, scope: &TenantScope) -> Kid {
    Kid(expand_public(tenant_key, &scope.context(label::KID)))
}

/// Derives a directory key's public name, which the membership chain holds for each generation.
pub fn derive_directory_kid(directory_key: &DirectoryKey, vault: &Id, generation: u64) -> Kid {
    Kid(expand_public(directory_key, &Context::new(label::DIRECTORY_KID).bytes(vault).u64(generation)))
}

/// Derives the key of the header's MAC.
pub fn derive_header_mac_key(directory_key: &DirectoryKey, vault: &Id) -> MacKey {
    expand(directory_key, &Context::new(label::HEADER_MAC_KEY).bytes(vault))
}

/// Derives the key of the MAC over one account's entry in the header.
pub fn derive_account_entry_mac_key(master_key: &AccountMasterKey, vault: &Id, account: &Id) -> MacKey {
    expand(master_key, &Context::new(label::ACCOUNT_ENTRY_MAC_KEY).bytes(vault).bytes(account))
}

/// Computes HMAC-SHA-256 over label and message.
pub fn compute_mac(key: &MacKey, label: Label, message: &[u8]) -> [u8; 32] {
    hmac(key.expose(), label, message).finalize().into_bytes().into()
}

/// Compares a MAC of [`compute_mac`], in constant time.
pub fn verify_mac(key: &MacKey, label: Label, message: &[u8], mac: &[u8]) -> Result<(), MacError> {
    hmac(key.expose(), label, message).verify_slice(mac).map_err(|_| MacError)
}

/// Computes by what a record's secret is known again while other secrets are looked at.
pub fn secret_fingerprint(key: &FingerprintKey, secret: &[u8]) -> [u8; 32] {
    hmac(key.expose(), label::SECRET_FINGERPRINT, secret).finalize().into_bytes().into()
}

/// Length of a write tag.
pub const WRITE_TAG_BYTES: usize = 16;

/// Computes the tag that ties a log entry to the change it announces: HMAC-SHA-256 over the entry's index, cut to 16 bytes.
pub fn write_tag(key: &TagKey, log_index: u64) -> [u8; WRITE_TAG_BYTES] {
    let mac = hmac(key.expose(), label::WRITE_TAG, &log_index.to_be_bytes()).finalize().into_bytes();
    let mut tag = [0; WRITE_TAG_BYTES];
    tag.copy_from_slice(&mac[..WRITE_TAG_BYTES]);
    tag
}

/// Computes under which name the header keeps a login's slots, so that the header shows no names.
///
/// `header_salt` is public and random for each vault; whoever has the header can still try names one by one.
pub fn login_lookup(header_salt: &[u8; 32], normalised_login: &str) -> [u8; 32] {
    hmac(header_salt, label::LOGIN_LOOKUP, normalised_login.as_bytes()).finalize().into_bytes().into()
}

/// Computes the salt with which an unknown login is put through the whole derivation, the same at each try.
pub fn decoy_salt(header_salt: &[u8; 32], normalised_login: &str) -> [u8; 32] {
    hmac(header_salt, label::DECOY_SALT, normalised_login.as_bytes()).finalize().into_bytes().into()
}

/// Computes an identifier that stands in for the account and slot of an unknown login, the same at each try.
pub fn decoy_id(header_salt: &[u8; 32], normalised_login: &str) -> Id {
    let mac = hmac(header_salt, label::UNLOCK_DECOY, normalised_login.as_bytes()).finalize().into_bytes();
    let mut id = [0; 16];
    id.copy_from_slice(&mac[..16]);
    id
}

/// HKDF-Expand of a uniformly random key into a key of another name.
pub(crate) fn expand<K: SecretKey>(key: &impl SecretKey, context: &Context) -> K {
    K::fill_with(|buffer| expand_into(key, context, buffer))
}

/// HKDF-Expand of a uniformly random key into 32 public bytes.
pub(crate) fn expand_public(key: &impl SecretKey, context: &Context) -> [u8; 32] {
    let mut out = [0; 32];
    expand_into(key, context, &mut out);
    out
}

fn expand_into(key: &impl SecretKey, context: &Context, out: &mut [u8]) {
    Hkdf::<Sha256>::from_prk(key.expose_bytes())
        .expect("every key derived from has at least a hash's 32 bytes")
        .expand(&context.info(), out)
        .expect("a key is below HKDF's limit of 255 hashes");
}

/// HMAC over a label, what `message` holds, and what is added later.
pub(crate) fn hmac(key: &[u8; 32], label: Label, message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&label.encode());
    mac.update(message);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: TenantScope = TenantScope { vault: [1; 16], tenant: [2; 16], epoch: 1 };

    fn tenant_key() -> TenantKey {
        TenantKey::parse(&[9; 32]).unwrap()
    }

    #[test]
    fn the_keys_of_a_tenant_differ_by_purpose_epoch_tenant_and_vault() {
        let key = tenant_key();
        let mut seen = vec![
            derive_tag_key(&key, &SCOPE).expose().to_vec(),
            derive_file_wrapping_key(&key, &SCOPE).expose().to_vec(),
            derive_file_digest_key(&key, &SCOPE).expose().to_vec(),
            derive_tenant_database_key(&key, &SCOPE).expose()[..32].to_vec(),
            derive_twin_key(&key, &SCOPE, 1).expose().to_vec(),
            derive_twin_key(&key, &SCOPE, 2).expose().to_vec(),
            derive_twin_key(&key, &TenantScope { tenant: [3; 16], ..SCOPE }, 1).expose().to_vec(),
            derive_kid(&key, &SCOPE).as_bytes().to_vec(),
            derive_kid(&key, &TenantScope { epoch: 2, ..SCOPE }).as_bytes().to_vec(),
            derive_kid(&key, &TenantScope { tenant: [3; 16], ..SCOPE }).as_bytes().to_vec(),
            derive_kid(&key, &TenantScope { vault: [3; 16], ..SCOPE }).as_bytes().to_vec(),
        ];
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn a_mac_holds_for_its_label_and_message_only() {
        let key = derive_header_mac_key(&DirectoryKey::parse(&[3; 32]).unwrap(), &[1; 16]);
        let mac = compute_mac(&key, label::HEADER_MAC, b"header");
        assert_eq!(verify_mac(&key, label::HEADER_MAC, b"header", &mac), Ok(()));
        assert_eq!(verify_mac(&key, label::ACCOUNT_ENTRY_MAC, b"header", &mac), Err(MacError));
        assert_eq!(verify_mac(&key, label::HEADER_MAC, b"headex", &mac), Err(MacError));
        assert_eq!(verify_mac(&key, label::HEADER_MAC, b"header", &mac[..16]), Err(MacError));
    }

    #[test]
    fn an_unknown_login_gets_the_same_decoy_each_time_and_not_its_lookup() {
        let salt = [5; 32];
        assert_eq!(decoy_salt(&salt, "nobody"), decoy_salt(&salt, "nobody"));
        assert_ne!(decoy_salt(&salt, "nobody"), login_lookup(&salt, "nobody"));
        assert_ne!(decoy_salt(&salt, "nobody"), decoy_salt(&salt, "somebody"));
        assert_ne!(decoy_salt(&salt, "nobody"), decoy_salt(&[6; 32], "nobody"));
    }

    #[test]
    fn write_tags_differ_by_index() {
        let key = derive_tag_key(&tenant_key(), &SCOPE);
        assert_ne!(write_tag(&key, 1), write_tag(&key, 2));
        assert_eq!(write_tag(&key, 1), write_tag(&key, 1));
    }
}
