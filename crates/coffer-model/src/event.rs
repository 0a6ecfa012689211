//! Events: what the log can say. Identifiers and verbs, never the value of a field.
//! Encoding: docs/FORMAT.md §6. Pure.

use crate::attachment::AttachmentId;
use crate::id::{AccountId, RecordId, TenantId};
use crate::record::FieldId;

/// What happened, or what was about to happen: the entry comes before the effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The vault was created.
    VaultCreated,
    /// A session began.
    VaultUnlocked,
    /// Somebody tried to unlock and did not get in. The login is not named: it may be a mistyped passphrase.
    UnlockFailed,
    /// Failed unlocks too frequent to be logged one by one.
    UnlockFailuresCounted {
        /// How many.
        count: u64,
    },
    /// A session ended.
    VaultLocked,
    /// A call was refused by policy.
    AccessRefused {
        /// The tenant it was about, if any.
        tenant: Option<TenantId>,
    },
    /// The recovery kit was checked by its owner.
    RecoveryKitConfirmed,
    /// A tenant was created.
    TenantCreated(TenantId),
    /// A tenant's key was unsealed.
    TenantOpened(TenantId),
    /// A page of a tenant's records was listed.
    RecordsListed {
        /// Whose records.
        tenant: TenantId,
        /// How many.
        count: u64,
    },
    /// A search was run; the query is not kept.
    RecordsSearched {
        /// Whose records.
        tenant: TenantId,
        /// How many were found and shown.
        count: u64,
    },
    /// A tenant's tags were listed.
    TagsListed {
        /// Whose tags.
        tenant: TenantId,
        /// How many.
        count: u64,
    },
    /// A tag became another one on every record that had it.
    TagRenamed {
        /// Whose tag.
        tenant: TenantId,
        /// How many records got a new version.
        count: u64,
    },
    /// A tag was taken from every record that had it.
    TagRemoved {
        /// Whose tag.
        tenant: TenantId,
        /// How many records got a new version.
        count: u64,
    },
    /// A search was saved under a name.
    SearchSaved {
        /// Where it searches; everywhere if `None`.
        tenant: Option<TenantId>,
    },
    /// A saved search got another name.
    SearchRenamed {
        /// Where it searches; everywhere if `None`.
        tenant: Option<TenantId>,
    },
    /// A saved search was removed.
    SearchRemoved {
        /// Where it searches; everywhere if `None`.
        tenant: Option<TenantId>,
    },
    /// A record was opened, its secrets still masked.
    RecordOpened(RecordId),
    /// A page of records was opened in one step, secrets masked: in the order of the list, `count` records from `first`
    /// on, as the tenant stood after its write of entry `after`. Every version is kept, and of every record that was
    /// purged which write did it, so which they were can be told.
    RecordsOpened {
        /// The first of them.
        first: RecordId,
        /// How many.
        count: u64,
        /// The entry of the newest write that the page shows.
        after: u64,
    },
    /// A record's earlier versions were looked at.
    RecordHistoryOpened(RecordId),
    /// The value of a secret field was shown.
    FieldRevealed {
        /// Whose field.
        record: RecordId,
        /// Which field.
        field: FieldId,
        /// Of which version.
        version: u32,
    },
    /// The value of a field was put on the clipboard.
    FieldCopied {
        /// Whose field.
        record: RecordId,
        /// Which field.
        field: FieldId,
        /// Of which version.
        version: u32,
    },
    /// The one-time code of a moment was shown, not its seed.
    CodeShown {
        /// Whose field.
        record: RecordId,
        /// Which field.
        field: FieldId,
        /// Of which version.
        version: u32,
    },
    /// The one-time code of a moment was put on the clipboard, not its seed.
    CodeCopied {
        /// Whose field.
        record: RecordId,
        /// Which field.
        field: FieldId,
        /// Of which version.
        version: u32,
    },
    /// Records of which something ends soon, or has ended, were listed.
    ExpiringListed {
        /// Whose records.
        tenant: TenantId,
        /// How many days by which something ends.
        count: u64,
    },
    /// Every secret of a tenant was assessed: how strong, how old, whether used twice. Nobody saw one.
    SecretsAssessed {
        /// Whose secrets.
        tenant: TenantId,
        /// How many.
        count: u64,
    },
    /// A kind of records with a template of the vault's own was added, or got another template. The statement says which.
    KindSet,
    /// A kind of the vault's own was removed. The statement says which.
    KindRemoved,
    /// A record was added.
    RecordAdded(RecordId),
    /// A record was changed.
    RecordChanged {
        /// Which record.
        record: RecordId,
        /// The version that came of it.
        version: u32,
    },
    /// A file was attached to a record.
    AttachmentAdded {
        /// Which record.
        record: RecordId,
        /// Which attachment.
        attachment: AttachmentId,
        /// The record's version that came of it.
        version: u32,
    },
    /// An attachment was taken off a record; earlier versions keep it.
    AttachmentDetached {
        /// Which record.
        record: RecordId,
        /// Which attachment.
        attachment: AttachmentId,
        /// The record's version that came of it.
        version: u32,
    },
    /// An attachment was decrypted into a file outside the vault.
    AttachmentSaved {
        /// Whose attachment.
        record: RecordId,
        /// Which attachment.
        attachment: AttachmentId,
    },
    /// An attachment, or its beginning, was shown.
    AttachmentPreviewed {
        /// Whose attachment.
        record: RecordId,
        /// Which attachment.
        attachment: AttachmentId,
    },
    /// An earlier version of a record became its newest once more.
    RecordVersionRestored {
        /// Which record.
        record: RecordId,
        /// The earlier version; the one that came of it is of this entry.
        version: u32,
    },
    /// Records were put into the trash, all of them in one step. Which they were the tenant keeps with its write of this
    /// entry; so for the three below.
    RecordsTrashed {
        /// One of them: the first that was named.
        first: RecordId,
        /// How many.
        count: u64,
    },
    /// Records were taken out of the trash.
    RecordsRestored {
        /// The first that was named.
        first: RecordId,
        /// How many.
        count: u64,
    },
    /// Records in the trash were deleted for good, with every version.
    RecordsPurged {
        /// The first that was named, or that had been there longest.
        first: RecordId,
        /// How many.
        count: u64,
    },
    /// Tags were added to records, or taken from them. Those that this changed have a version of this entry.
    RecordsTagged {
        /// The first that was named.
        first: RecordId,
        /// How many were named.
        count: u64,
    },
    /// Records were read whole, every version and secret, to be copied into another tenant.
    RecordsSent {
        /// Of the tenant they are read from: the first that was named.
        first: RecordId,
        /// How many.
        count: u64,
    },
    /// Copies of another tenant's records were added, all of them in one step.
    RecordsReceived {
        /// The tenant that has them now.
        tenant: TenantId,
        /// How many.
        count: u64,
        /// The entry of the reading they follow from.
        entry: u64,
    },
    /// Records that another tenant has by now were put into the trash of the one they came from.
    RecordsMoved {
        /// Of the tenant they came from: the first that was named.
        first: RecordId,
        /// How many.
        count: u64,
        /// The entry of the reading that the copies follow from.
        entry: u64,
    },
    /// The account marked a record as a favourite of its own.
    FavouriteSet(RecordId),
    /// The account took that mark back.
    FavouriteUnset(RecordId),
    /// What the account was writing was kept, not saved.
    DraftKept {
        /// Whose data.
        tenant: TenantId,
        /// The record being changed; `None` for one not added yet.
        record: Option<RecordId>,
    },
    /// What was kept was handed out again.
    DraftOpened {
        /// Whose data.
        tenant: TenantId,
        /// The record being changed; `None` for one not added yet.
        record: Option<RecordId>,
    },
    /// What was kept was given up, or is saved.
    DraftDiscarded {
        /// Whose data.
        tenant: TenantId,
        /// The record being changed; `None` for one not added yet.
        record: Option<RecordId>,
    },
    /// Records were imported, all of them in one step.
    RecordsImported {
        /// Whose records.
        tenant: TenantId,
        /// How many.
        count: u64,
    },
    /// A tenant's records were written to a file outside the vault.
    TenantExported {
        /// Whose records.
        tenant: TenantId,
        /// How many.
        count: u64,
        /// What kind of file.
        format: ExportFormat,
    },
    /// A tenant's records were read to make a redacted twin of them.
    TenantTwinned {
        /// Whose records.
        tenant: TenantId,
        /// How many, those in the trash among them.
        count: u64,
    },
    /// A redacted twin was filled with invented records, before it is a tenant of the vault.
    TwinFilled {
        /// The twin.
        tenant: TenantId,
        /// How many.
        count: u64,
        /// The entry of the reading it follows from.
        entry: u64,
    },
    /// Everything of a tenant was searched for a person: history, secrets and trash, too. Who it was is not kept.
    SubjectSearched {
        /// Whose data.
        tenant: TenantId,
        /// In how many records the person was found.
        count: u64,
    },
    /// What a tenant holds about a person was written to a file outside the vault.
    SubjectExported {
        /// Whose data.
        tenant: TenantId,
        /// How many records.
        count: u64,
    },
    /// Records about a person were deleted for good, with everything that belongs to them.
    SubjectErased {
        /// Whose data.
        tenant: TenantId,
        /// How many records.
        count: u64,
    },
    /// Earlier versions that told of a person were deleted for good; their records stay.
    SubjectHistoryErased {
        /// Whose data.
        tenant: TenantId,
        /// How many versions.
        count: u64,
    },
    /// A write was logged but did not happen: the program ended in between.
    EffectMissing {
        /// Whose data.
        tenant: TenantId,
        /// The entry of the write.
        entry: u64,
    },
    /// A backup was written.
    BackupExported {
        /// Its number in this vault.
        counter: u64,
    },
    /// A backup that has its name got its statement in the membership chain.
    BackupReceiptFiled {
        /// Its number in this vault.
        counter: u64,
    },
    /// A backup was verified.
    BackupVerified {
        /// Its number in its vault.
        counter: u64,
    },
    /// The vault came out of a backup; the log goes on in a new segment.
    BackupRestored {
        /// The backup's number.
        counter: u64,
    },
    /// An older backup than the newest known was accepted on somebody's word.
    OlderBackupAccepted {
        /// The backup's number.
        counter: u64,
    },
    /// A vault that was older than a device knew it was accepted there on somebody's word.
    OlderVaultAccepted,
    /// The vault was moved to another computer: its copy here is used no more.
    VaultMoved,
    /// A move was taken back: the vault is used here again, on somebody's word.
    MoveTakenBack,
    /// A key for this device was made and certified.
    DeviceEnrolled,
    /// The log did not fit its state and goes on in a new segment, on somebody's word.
    LogRestarted {
        /// Where the new segment begins.
        entry: u64,
    },
    /// Entries of the log were read.
    LogRead {
        /// How many.
        count: u64,
    },
    /// The log was verified.
    LogVerified,
    /// Entries of the log were exported.
    LogExported {
        /// How many.
        count: u64,
    },
    /// The tenants' files were held against what was remembered of them.
    FilesChecked,
    /// A tenant's file is not as it was locked: somebody changed it meanwhile.
    FileAltered(TenantId),
    /// An account was created by the founding of the vault.
    AccountCreated(AccountId),
    /// Somebody was invited to become an account.
    AccountInvited(AccountId),
    /// An invitation was taken back.
    InvitationWithdrawn(AccountId),
    /// An invited person chose a passphrase and is an account now.
    AccountActivated(AccountId),
    /// An account's roles were changed.
    RolesSet(AccountId),
    /// An account left the vault: it opens nothing that is written from now on.
    AccountRemoved(AccountId),
    /// It was stated by when an account has to have left and what it saw is to be changed, or that it stays.
    LeavingSet(AccountId),
    /// A report of how an account left was read.
    OffboardingRead(AccountId),
    /// It was listed which secrets of a tenant accounts have seen that have no grant on it any more.
    ExposuresListed {
        /// Whose secrets.
        tenant: TenantId,
        /// How many are still what was seen.
        count: u64,
    },
    /// A steward reported to administrators and auditors how far what an account saw is changed.
    ExposureReported {
        /// Whose secrets.
        tenant: TenantId,
        /// Who saw them.
        account: AccountId,
    },
    /// What stewards reported of an account's exposures was compared with the log.
    ExposuresChecked(AccountId),
    /// The account's own passphrase, or what is needed beside it, was changed.
    PassphraseChanged,
    /// The account got a personal recovery code; one of before opens nothing any more.
    PersonalCodeMade,
    /// The account got another master key and other key pairs: its passphrase may be known.
    OwnKeysRenewed,
    /// The account's slot was given a higher cost at unlocking.
    KdfRaised,
    /// The account has a second factor now, or another one.
    SecondFactorEnrolled,
    /// The account has no second factor any more.
    SecondFactorRemoved,
    /// The account got new spare codes; those of before count no more.
    SpareCodesMade,
    /// A spare code served in place of a time-based one.
    SpareCodeUsed {
        /// How many are left.
        left: u64,
    },
    /// The rules of the vault were changed. The statement says which.
    PolicySet,
    /// An identity provider was pinned, or what is pinned of it was changed. The statement says which.
    ProviderPinned,
    /// No identity provider is pinned any more.
    ProviderUnpinned,
    /// An account needs fresh tokens of the identity provider from now on.
    AccountFederated(AccountId),
    /// An account needs no tokens any more.
    AccountUnfederated(AccountId),
    /// A fresh token of the identity provider held: whoever brought it unlocks for a while without another.
    LeaseRenewed,
    /// Another administrator authenticated for what takes two people.
    ActionSeconded(AccountId),
    /// An account was granted a tenant, or another right on it.
    GrantGiven {
        /// The tenant.
        tenant: TenantId,
        /// To whom.
        account: AccountId,
    },
    /// A grant was withdrawn.
    GrantWithdrawn {
        /// The tenant.
        tenant: TenantId,
        /// From whom.
        account: AccountId,
    },
    /// A steward split a tenant's key among custodians, of whom two open it together; or among none any more.
    GlassPrepared(TenantId),
    /// Two custodians opened a tenant for the account; this is the other one. The statement says why and until when.
    GlassBroken {
        /// The tenant.
        tenant: TenantId,
        /// The other custodian.
        account: AccountId,
    },
    /// A tenant got a new key and a new file: whoever held only the old key reads nothing written from now on.
    TenantRekeyed(TenantId),
    /// A key in use was said to be in hands it does not belong in. The statement says which.
    KeyCompromised {
        /// Whose key, if it is a tenant's.
        tenant: Option<TenantId>,
    },
    /// For how long keys are used was changed. The statement says how.
    CryptoperiodsSet,
    /// It was listed who holds which key.
    KeyAccessListed,
    /// The device got another key.
    DeviceKeyReplaced,
    /// The directory got a new key.
    DirectoryRekeyed,
    /// The log got a new key: auditors of before who are none any more read nothing written from now on.
    AuditKeyReplaced,
    /// The key of administrators and auditors together was replaced.
    OfficeKeyReplaced,
    /// An account was given the keys that its roles call for.
    KeysShared(AccountId),
    /// The header named another audit key than the membership chain, and was put right.
    AuditKeyCorrected,
    /// The recovery kit was used.
    RecoveryUsed,
    /// Recovery got another seed: the kit of before opens nothing that is sealed anew from then on.
    RecoveryRenewed,
    /// An account compared the new recovery and trusts it.
    RecoveryAccepted,
    /// Recovery was given the keys that an account holds.
    RecoveryKeysShared,
}

/// A kind of file that a tenant's records are written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table, readable by anybody.
    Csv,
    /// KeePass's format, encrypted under a passphrase of its own.
    Kdbx,
    /// The portable archive, readable by anybody.
    Archive,
    /// The portable archive, encrypted to whom the person named.
    EncryptedArchive,
}

impl ExportFormat {
    /// The permanent name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Kdbx => "kdbx",
            Self::Archive | Self::EncryptedArchive => "archive",
        }
    }
}

/// An event taken apart, as it is encoded and shown. Members that do not belong to the verb are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventParts {
    /// The tenant it is about; a record's tenant, too.
    pub tenant: Option<TenantId>,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// The field it is about; of an attachment's event, the attachment's number.
    pub field: Option<FieldId>,
    /// The version of the record it is about.
    pub version: Option<u32>,
    /// How many; for backups, the counter.
    pub count: Option<u64>,
    /// The entry it is about.
    pub entry: Option<u64>,
    /// The account it is about.
    pub account: Option<AccountId>,
}

impl Event {
    /// The permanent name of what happened: `object.verb`.
    #[expect(clippy::too_many_lines, reason = "one arm for each event, and nothing else")]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::VaultCreated => "vault.created",
            Self::VaultUnlocked => "vault.unlocked",
            Self::UnlockFailed => "vault.unlock_failed",
            Self::UnlockFailuresCounted { .. } => "vault.unlock_failures_counted",
            Self::VaultLocked => "vault.locked",
            Self::OlderVaultAccepted => "vault.older_accepted",
            Self::VaultMoved => "vault.moved",
            Self::MoveTakenBack => "vault.move_taken_back",
            Self::AccessRefused { .. } => "access.refused",
            Self::RecoveryKitConfirmed => "recovery_kit.confirmed",
            Self::TenantCreated(_) => "tenant.created",
            Self::TenantOpened(_) => "tenant.opened",
            Self::RecordsListed { .. } => "records.listed",
            Self::RecordsSearched { .. } => "records.searched",
            Self::TagsListed { .. } => "tags.listed",
            Self::TagRenamed { .. } => "tag.renamed",
            Self::TagRemoved { .. } => "tag.removed",
            Self::SearchSaved { .. } => "search.saved",
            Self::SearchRenamed { .. } => "search.renamed",
            Self::SearchRemoved { .. } => "search.removed",
            Self::RecordOpened(_) => "record.opened",
            Self::RecordsOpened { .. } => "records.opened",
            Self::RecordHistoryOpened(_) => "record.history_opened",
            Self::FieldRevealed { .. } => "field.revealed",
            Self::FieldCopied { .. } => "field.copied",
            Self::CodeShown { .. } => "code.shown",
            Self::CodeCopied { .. } => "code.copied",
            Self::ExpiringListed { .. } => "records.expiring_listed",
            Self::SecretsAssessed { .. } => "secrets.assessed",
            Self::KindSet => "kind.set",
            Self::KindRemoved => "kind.removed",
            Self::RecordAdded(_) => "record.added",
            Self::RecordChanged { .. } => "record.changed",
            Self::AttachmentAdded { .. } => "attachment.added",
            Self::AttachmentDetached { .. } => "attachment.detached",
            Self::AttachmentSaved { .. } => "attachment.saved",
            Self::AttachmentPreviewed { .. } => "attachment.previewed",
            Self::RecordVersionRestored { .. } => "record.version_restored",
            Self::RecordsTrashed { .. } => "records.trashed",
            Self::RecordsRestored { .. } => "records.restored",
            Self::RecordsPurged { .. } => "records.purged",
            Self::RecordsTagged { .. } => "records.tagged",
            Self::RecordsSent { .. } => "records.sent",
            Self::RecordsReceived { .. } => "records.received",
            Self::RecordsMoved { .. } => "records.moved",
            Self::FavouriteSet(_) => "record.favourite_set",
            Self::FavouriteUnset(_) => "record.favourite_unset",
            Self::DraftKept { .. } => "draft.kept",
            Self::DraftOpened { .. } => "draft.opened",
            Self::DraftDiscarded { .. } => "draft.discarded",
            Self::RecordsImported { .. } => "records.imported",
            Self::TenantExported { format: ExportFormat::Csv, .. } => "tenant.exported_csv",
            Self::TenantExported { format: ExportFormat::Kdbx, .. } => "tenant.exported_kdbx",
            Self::TenantExported { format: ExportFormat::Archive, .. } => "tenant.exported_archive",
            Self::TenantExported { format: ExportFormat::EncryptedArchive, .. } => "tenant.exported_encrypted_archive",
            Self::TenantTwinned { .. } => "tenant.twinned",
            Self::TwinFilled { .. } => "twin.filled",
            Self::SubjectSearched { .. } => "subject.searched",
            Self::SubjectExported { .. } => "subject.exported",
            Self::SubjectErased { .. } => "subject.erased",
            Self::SubjectHistoryErased { .. } => "subject.history_erased",
            Self::EffectMissing { .. } => "effect.missing",
            Self::BackupExported { .. } => "backup.exported",
            Self::BackupReceiptFiled { .. } => "backup.receipt_filed",
            Self::BackupVerified { .. } => "backup.verified",
            Self::BackupRestored { .. } => "backup.restored",
            Self::OlderBackupAccepted { .. } => "backup.older_accepted",
            Self::DeviceEnrolled => "device.enrolled",
            Self::LogRestarted { .. } => "log.restarted",
            Self::LogRead { .. } => "log.read",
            Self::LogVerified => "log.verified",
            Self::LogExported { .. } => "log.exported",
            Self::FilesChecked => "files.checked",
            Self::FileAltered(_) => "file.altered",
            Self::AccountCreated(_) => "account.created",
            Self::AccountInvited(_) => "account.invited",
            Self::InvitationWithdrawn(_) => "invitation.withdrawn",
            Self::AccountActivated(_) => "account.activated",
            Self::RolesSet(_) => "roles.set",
            Self::AccountRemoved(_) => "account.removed",
            Self::LeavingSet(_) => "leaving.set",
            Self::OffboardingRead(_) => "offboarding.read",
            Self::ExposuresListed { .. } => "exposures.listed",
            Self::ExposureReported { .. } => "exposure.reported",
            Self::ExposuresChecked(_) => "exposures.checked",
            Self::PassphraseChanged => "passphrase.changed",
            Self::PersonalCodeMade => "personal_code.made",
            Self::OwnKeysRenewed => "own_keys.renewed",
            Self::KdfRaised => "kdf.raised",
            Self::SecondFactorEnrolled => "second_factor.enrolled",
            Self::SecondFactorRemoved => "second_factor.removed",
            Self::SpareCodesMade => "spare_codes.made",
            Self::SpareCodeUsed { .. } => "spare_code.used",
            Self::PolicySet => "policy.set",
            Self::ProviderPinned => "provider.pinned",
            Self::ProviderUnpinned => "provider.unpinned",
            Self::AccountFederated(_) => "account.federated",
            Self::AccountUnfederated(_) => "account.unfederated",
            Self::LeaseRenewed => "lease.renewed",
            Self::ActionSeconded(_) => "action.seconded",
            Self::GrantGiven { .. } => "grant.given",
            Self::GrantWithdrawn { .. } => "grant.withdrawn",
            Self::GlassPrepared(_) => "glass.prepared",
            Self::GlassBroken { .. } => "glass.broken",
            Self::TenantRekeyed(_) => "tenant.rekeyed",
            Self::KeyCompromised { .. } => "key.compromised",
            Self::CryptoperiodsSet => "cryptoperiods.set",
            Self::KeyAccessListed => "key_access.listed",
            Self::DeviceKeyReplaced => "device_key.replaced",
            Self::DirectoryRekeyed => "directory.rekeyed",
            Self::AuditKeyReplaced => "audit_key.replaced",
            Self::OfficeKeyReplaced => "office_key.replaced",
            Self::KeysShared(_) => "keys.shared",
            Self::AuditKeyCorrected => "audit_key.corrected",
            Self::RecoveryUsed => "recovery.used",
            Self::RecoveryRenewed => "recovery.renewed",
            Self::RecoveryAccepted => "recovery.accepted",
            Self::RecoveryKeysShared => "recovery.keys_shared",
        }
    }

    /// Takes the event apart.
    #[expect(clippy::too_many_lines, reason = "one arm for each shape of entry, and nothing else")]
    pub const fn parts(&self) -> EventParts {
        let none = EventParts {
            tenant: None,
            record: None,
            field: None,
            version: None,
            count: None,
            entry: None,
            account: None,
        };
        match *self {
            Self::VaultCreated
            | Self::VaultUnlocked
            | Self::UnlockFailed
            | Self::VaultLocked
            | Self::OlderVaultAccepted
            | Self::VaultMoved
            | Self::MoveTakenBack
            | Self::RecoveryKitConfirmed
            | Self::DeviceEnrolled
            | Self::FilesChecked
            | Self::KindSet
            | Self::KindRemoved
            | Self::LogVerified
            | Self::PassphraseChanged
            | Self::PersonalCodeMade
            | Self::OwnKeysRenewed
            | Self::KdfRaised
            | Self::SecondFactorEnrolled
            | Self::SecondFactorRemoved
            | Self::SpareCodesMade
            | Self::PolicySet
            | Self::CryptoperiodsSet
            | Self::KeyAccessListed
            | Self::DeviceKeyReplaced
            | Self::ProviderPinned
            | Self::ProviderUnpinned
            | Self::LeaseRenewed
            | Self::DirectoryRekeyed
            | Self::AuditKeyReplaced
            | Self::OfficeKeyReplaced
            | Self::AuditKeyCorrected
            | Self::RecoveryUsed
            | Self::RecoveryRenewed
            | Self::RecoveryAccepted
            | Self::RecoveryKeysShared => none,
            Self::AccessRefused { tenant }
            | Self::KeyCompromised { tenant }
            | Self::SearchSaved { tenant }
            | Self::SearchRenamed { tenant }
            | Self::SearchRemoved { tenant } => EventParts { tenant, ..none },
            Self::UnlockFailuresCounted { count }
            | Self::SpareCodeUsed { left: count }
            | Self::LogRead { count }
            | Self::LogExported { count }
            | Self::BackupExported { counter: count }
            | Self::BackupReceiptFiled { counter: count }
            | Self::BackupVerified { counter: count }
            | Self::BackupRestored { counter: count }
            | Self::OlderBackupAccepted { counter: count } => EventParts { count: Some(count), ..none },
            Self::TenantCreated(tenant)
            | Self::TenantOpened(tenant)
            | Self::TenantRekeyed(tenant)
            | Self::GlassPrepared(tenant)
            | Self::FileAltered(tenant) => EventParts { tenant: Some(tenant), ..none },
            Self::RecordsListed { tenant, count }
            | Self::RecordsSearched { tenant, count }
            | Self::ExpiringListed { tenant, count }
            | Self::SecretsAssessed { tenant, count }
            | Self::ExposuresListed { tenant, count }
            | Self::TagsListed { tenant, count }
            | Self::TagRenamed { tenant, count }
            | Self::TagRemoved { tenant, count }
            | Self::RecordsImported { tenant, count }
            | Self::TenantTwinned { tenant, count }
            | Self::SubjectSearched { tenant, count }
            | Self::SubjectExported { tenant, count }
            | Self::SubjectErased { tenant, count }
            | Self::SubjectHistoryErased { tenant, count }
            | Self::TenantExported { tenant, count, .. } => {
                EventParts { tenant: Some(tenant), count: Some(count), ..none }
            }
            Self::RecordOpened(record)
            | Self::RecordHistoryOpened(record)
            | Self::RecordAdded(record)
            | Self::FavouriteSet(record)
            | Self::FavouriteUnset(record) => {
                EventParts { tenant: Some(record.tenant()), record: Some(record), ..none }
            }
            Self::RecordsTrashed { first, count }
            | Self::RecordsRestored { first, count }
            | Self::RecordsPurged { first, count }
            | Self::RecordsTagged { first, count }
            | Self::RecordsSent { first, count } => {
                EventParts { tenant: Some(first.tenant()), record: Some(first), count: Some(count), ..none }
            }
            Self::DraftKept { tenant, record }
            | Self::DraftOpened { tenant, record }
            | Self::DraftDiscarded { tenant, record } => EventParts { tenant: Some(tenant), record, ..none },
            Self::RecordsOpened { first, count, after: entry } | Self::RecordsMoved { first, count, entry } => {
                EventParts {
                    tenant: Some(first.tenant()),
                    record: Some(first),
                    count: Some(count),
                    entry: Some(entry),
                    ..none
                }
            }
            Self::FieldRevealed { record, field, version }
            | Self::FieldCopied { record, field, version }
            | Self::CodeShown { record, field, version }
            | Self::CodeCopied { record, field, version } => EventParts {
                tenant: Some(record.tenant()),
                record: Some(record),
                field: Some(field),
                version: Some(version),
                ..none
            },
            Self::RecordChanged { record, version } | Self::RecordVersionRestored { record, version } => {
                EventParts { tenant: Some(record.tenant()), record: Some(record), version: Some(version), ..none }
            }
            Self::AttachmentAdded { record, attachment, version }
            | Self::AttachmentDetached { record, attachment, version } => EventParts {
                tenant: Some(record.tenant()),
                record: Some(record),
                field: Some(FieldId(attachment.0)),
                version: Some(version),
                ..none
            },
            Self::AttachmentSaved { record, attachment } | Self::AttachmentPreviewed { record, attachment } => {
                EventParts {
                    tenant: Some(record.tenant()),
                    record: Some(record),
                    field: Some(FieldId(attachment.0)),
                    ..none
                }
            }
            Self::TwinFilled { tenant, count, entry } | Self::RecordsReceived { tenant, count, entry } => {
                EventParts { tenant: Some(tenant), count: Some(count), entry: Some(entry), ..none }
            }
            Self::EffectMissing { tenant, entry } => EventParts { tenant: Some(tenant), entry: Some(entry), ..none },
            Self::LogRestarted { entry } => EventParts { entry: Some(entry), ..none },
            Self::AccountCreated(account)
            | Self::AccountInvited(account)
            | Self::InvitationWithdrawn(account)
            | Self::AccountActivated(account)
            | Self::RolesSet(account)
            | Self::AccountRemoved(account)
            | Self::LeavingSet(account)
            | Self::OffboardingRead(account)
            | Self::ExposuresChecked(account)
            | Self::AccountFederated(account)
            | Self::AccountUnfederated(account)
            | Self::ActionSeconded(account)
            | Self::KeysShared(account) => EventParts { account: Some(account), ..none },
            Self::GrantGiven { tenant, account }
            | Self::GrantWithdrawn { tenant, account }
            | Self::GlassBroken { tenant, account }
            | Self::ExposureReported { tenant, account } => {
                EventParts { tenant: Some(tenant), account: Some(account), ..none }
            }
        }
    }

    /// Puts an event together again; `None` if the verb is unknown or a part is missing or does not belong.
    pub fn from_parts(verb: &str, parts: &EventParts) -> Option<Self> {
        let candidate = Self::from_parts_unchecked(verb, parts)?;
        (candidate.parts() == *parts).then_some(candidate)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each verb, and nothing else")]
    fn from_parts_unchecked(verb: &str, parts: &EventParts) -> Option<Self> {
        Some(match verb {
            "vault.created" => Self::VaultCreated,
            "vault.unlocked" => Self::VaultUnlocked,
            "vault.unlock_failed" => Self::UnlockFailed,
            "vault.unlock_failures_counted" => Self::UnlockFailuresCounted { count: parts.count? },
            "vault.locked" => Self::VaultLocked,
            "vault.older_accepted" => Self::OlderVaultAccepted,
            "vault.moved" => Self::VaultMoved,
            "vault.move_taken_back" => Self::MoveTakenBack,
            "access.refused" => Self::AccessRefused { tenant: parts.tenant },
            "recovery_kit.confirmed" => Self::RecoveryKitConfirmed,
            "tenant.created" => Self::TenantCreated(parts.tenant?),
            "tenant.opened" => Self::TenantOpened(parts.tenant?),
            "records.listed" => Self::RecordsListed { tenant: parts.tenant?, count: parts.count? },
            "records.searched" => Self::RecordsSearched { tenant: parts.tenant?, count: parts.count? },
            "tags.listed" => Self::TagsListed { tenant: parts.tenant?, count: parts.count? },
            "tag.renamed" => Self::TagRenamed { tenant: parts.tenant?, count: parts.count? },
            "tag.removed" => Self::TagRemoved { tenant: parts.tenant?, count: parts.count? },
            "search.saved" => Self::SearchSaved { tenant: parts.tenant },
            "search.renamed" => Self::SearchRenamed { tenant: parts.tenant },
            "search.removed" => Self::SearchRemoved { tenant: parts.tenant },
            "record.opened" => Self::RecordOpened(parts.record?),
            "records.opened" => Self::RecordsOpened { first: parts.record?, count: parts.count?, after: parts.entry? },
            "record.history_opened" => Self::RecordHistoryOpened(parts.record?),
            "field.revealed" => {
                Self::FieldRevealed { record: parts.record?, field: parts.field?, version: parts.version? }
            }
            "field.copied" => Self::FieldCopied { record: parts.record?, field: parts.field?, version: parts.version? },
            "code.shown" => Self::CodeShown { record: parts.record?, field: parts.field?, version: parts.version? },
            "code.copied" => Self::CodeCopied { record: parts.record?, field: parts.field?, version: parts.version? },
            "records.expiring_listed" => Self::ExpiringListed { tenant: parts.tenant?, count: parts.count? },
            "secrets.assessed" => Self::SecretsAssessed { tenant: parts.tenant?, count: parts.count? },
            "kind.set" => Self::KindSet,
            "kind.removed" => Self::KindRemoved,
            "record.added" => Self::RecordAdded(parts.record?),
            "record.changed" => Self::RecordChanged { record: parts.record?, version: parts.version? },
            "attachment.added" => Self::AttachmentAdded {
                record: parts.record?,
                attachment: AttachmentId(parts.field?.0),
                version: parts.version?,
            },
            "attachment.detached" => Self::AttachmentDetached {
                record: parts.record?,
                attachment: AttachmentId(parts.field?.0),
                version: parts.version?,
            },
            "attachment.saved" => {
                Self::AttachmentSaved { record: parts.record?, attachment: AttachmentId(parts.field?.0) }
            }
            "attachment.previewed" => {
                Self::AttachmentPreviewed { record: parts.record?, attachment: AttachmentId(parts.field?.0) }
            }
            "record.version_restored" => Self::RecordVersionRestored { record: parts.record?, version: parts.version? },
            "records.trashed" => Self::RecordsTrashed { first: parts.record?, count: parts.count? },
            "records.restored" => Self::RecordsRestored { first: parts.record?, count: parts.count? },
            "records.purged" => Self::RecordsPurged { first: parts.record?, count: parts.count? },
            "records.tagged" => Self::RecordsTagged { first: parts.record?, count: parts.count? },
            "records.sent" => Self::RecordsSent { first: parts.record?, count: parts.count? },
            "records.received" => {
                Self::RecordsReceived { tenant: parts.tenant?, count: parts.count?, entry: parts.entry? }
            }
            "records.moved" => Self::RecordsMoved { first: parts.record?, count: parts.count?, entry: parts.entry? },
            "record.favourite_set" => Self::FavouriteSet(parts.record?),
            "record.favourite_unset" => Self::FavouriteUnset(parts.record?),
            "draft.kept" => Self::DraftKept { tenant: parts.tenant?, record: parts.record },
            "draft.opened" => Self::DraftOpened { tenant: parts.tenant?, record: parts.record },
            "draft.discarded" => Self::DraftDiscarded { tenant: parts.tenant?, record: parts.record },
            "records.imported" => Self::RecordsImported { tenant: parts.tenant?, count: parts.count? },
            "tenant.exported_csv" => {
                Self::TenantExported { tenant: parts.tenant?, count: parts.count?, format: ExportFormat::Csv }
            }
            "tenant.exported_kdbx" => {
                Self::TenantExported { tenant: parts.tenant?, count: parts.count?, format: ExportFormat::Kdbx }
            }
            "tenant.exported_archive" => {
                Self::TenantExported { tenant: parts.tenant?, count: parts.count?, format: ExportFormat::Archive }
            }
            "tenant.exported_encrypted_archive" => {
                let (tenant, count) = (parts.tenant?, parts.count?);
                Self::TenantExported { tenant, count, format: ExportFormat::EncryptedArchive }
            }
            "tenant.twinned" => Self::TenantTwinned { tenant: parts.tenant?, count: parts.count? },
            "twin.filled" => Self::TwinFilled { tenant: parts.tenant?, count: parts.count?, entry: parts.entry? },
            "subject.searched" => Self::SubjectSearched { tenant: parts.tenant?, count: parts.count? },
            "subject.exported" => Self::SubjectExported { tenant: parts.tenant?, count: parts.count? },
            "subject.erased" => Self::SubjectErased { tenant: parts.tenant?, count: parts.count? },
            "subject.history_erased" => Self::SubjectHistoryErased { tenant: parts.tenant?, count: parts.count? },
            "effect.missing" => Self::EffectMissing { tenant: parts.tenant?, entry: parts.entry? },
            "backup.exported" => Self::BackupExported { counter: parts.count? },
            "backup.receipt_filed" => Self::BackupReceiptFiled { counter: parts.count? },
            "backup.verified" => Self::BackupVerified { counter: parts.count? },
            "backup.restored" => Self::BackupRestored { counter: parts.count? },
            "backup.older_accepted" => Self::OlderBackupAccepted { counter: parts.count? },
            "device.enrolled" => Self::DeviceEnrolled,
            "log.restarted" => Self::LogRestarted { entry: parts.entry? },
            "log.read" => Self::LogRead { count: parts.count? },
            "log.verified" => Self::LogVerified,
            "log.exported" => Self::LogExported { count: parts.count? },
            "files.checked" => Self::FilesChecked,
            "file.altered" => Self::FileAltered(parts.tenant?),
            "account.created" => Self::AccountCreated(parts.account?),
            "account.invited" => Self::AccountInvited(parts.account?),
            "invitation.withdrawn" => Self::InvitationWithdrawn(parts.account?),
            "account.activated" => Self::AccountActivated(parts.account?),
            "roles.set" => Self::RolesSet(parts.account?),
            "account.removed" => Self::AccountRemoved(parts.account?),
            "leaving.set" => Self::LeavingSet(parts.account?),
            "offboarding.read" => Self::OffboardingRead(parts.account?),
            "exposures.listed" => Self::ExposuresListed { tenant: parts.tenant?, count: parts.count? },
            "exposure.reported" => Self::ExposureReported { tenant: parts.tenant?, account: parts.account? },
            "exposures.checked" => Self::ExposuresChecked(parts.account?),
            "passphrase.changed" => Self::PassphraseChanged,
            "personal_code.made" => Self::PersonalCodeMade,
            "own_keys.renewed" => Self::OwnKeysRenewed,
            "kdf.raised" => Self::KdfRaised,
            "second_factor.enrolled" => Self::SecondFactorEnrolled,
            "second_factor.removed" => Self::SecondFactorRemoved,
            "spare_codes.made" => Self::SpareCodesMade,
            "spare_code.used" => Self::SpareCodeUsed { left: parts.count? },
            "policy.set" => Self::PolicySet,
            "provider.pinned" => Self::ProviderPinned,
            "provider.unpinned" => Self::ProviderUnpinned,
            "account.federated" => Self::AccountFederated(parts.account?),
            "account.unfederated" => Self::AccountUnfederated(parts.account?),
            "lease.renewed" => Self::LeaseRenewed,
            "action.seconded" => Self::ActionSeconded(parts.account?),
            "grant.given" => Self::GrantGiven { tenant: parts.tenant?, account: parts.account? },
            "grant.withdrawn" => Self::GrantWithdrawn { tenant: parts.tenant?, account: parts.account? },
            "glass.prepared" => Self::GlassPrepared(parts.tenant?),
            "glass.broken" => Self::GlassBroken { tenant: parts.tenant?, account: parts.account? },
            "tenant.rekeyed" => Self::TenantRekeyed(parts.tenant?),
            "key.compromised" => Self::KeyCompromised { tenant: parts.tenant },
            "cryptoperiods.set" => Self::CryptoperiodsSet,
            "key_access.listed" => Self::KeyAccessListed,
            "device_key.replaced" => Self::DeviceKeyReplaced,
            "directory.rekeyed" => Self::DirectoryRekeyed,
            "audit_key.replaced" => Self::AuditKeyReplaced,
            "office_key.replaced" => Self::OfficeKeyReplaced,
            "keys.shared" => Self::KeysShared(parts.account?),
            "audit_key.corrected" => Self::AuditKeyCorrected,
            "recovery.used" => Self::RecoveryUsed,
            "recovery.renewed" => Self::RecoveryRenewed,
            "recovery.accepted" => Self::RecoveryAccepted,
            "recovery.keys_shared" => Self::RecoveryKeysShared,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attachment::AttachmentId;
    use crate::id::RecordKey;

    #[test]
    fn parts_that_do_not_belong_are_refused() {
        let record = RecordId::new(TenantId::from_bytes([1; 16]), RecordKey::from_bytes([2; 16]));
        let event = Event::FieldRevealed { record, field: FieldId(3), version: 4 };
        assert_eq!(Event::from_parts(event.verb(), &event.parts()), Some(event));
        assert_eq!(Event::from_parts("vault.locked", &event.parts()), None);
        let elsewhere = EventParts { tenant: Some(TenantId::from_bytes([9; 16])), ..event.parts() };
        assert_eq!(Event::from_parts(event.verb(), &elsewhere), None);
        assert_eq!(Event::from_parts("vault.exploded", &EventParts::default()), None);
        let saved = Event::AttachmentSaved { record, attachment: AttachmentId(3) };
        assert_eq!(Event::from_parts(saved.verb(), &saved.parts()), Some(saved));
        assert_eq!(Event::from_parts("attachment.added", &saved.parts()), None);
    }
}
