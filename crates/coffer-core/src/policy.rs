//! Who may do what: one exhaustive match. Pure.
//!
//! A new [`Action`] does not compile until somebody decides here who may. Whether keys or only this program enforce an
//! action is said beside it and shown in THREAT-MODEL.md.

use coffer_model::account::{Role, Roles};
use coffer_model::grant::Right;
use coffer_model::policy::Guarded;

/// Something a session may be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sees the names of the tenants granted.
    ListTenants,
    /// Creates a tenant.
    CreateTenant,
    /// Lists a tenant's records.
    ListRecords,
    /// Opens a record, secrets masked; looks at its earlier versions.
    OpenRecord,
    /// Sees a secret.
    RevealField,
    /// Puts a field on the clipboard.
    CopyField,
    /// Sees a one-time code, not its seed.
    ShowCode,
    /// Puts a one-time code on the clipboard, not its seed.
    CopyCode,
    /// Lists what ends soon in a tenant.
    ListExpiring,
    /// Has every secret of a tenant assessed, seeing none.
    AssessSecrets,
    /// Sees the kinds of records there are, with their templates.
    ListKinds,
    /// Adds, changes or removes a kind of the vault's own.
    ChangeKinds,
    /// Adds a record.
    AddRecord,
    /// Changes a record.
    ChangeRecord,
    /// Attaches a file to a record, or what was detached once more.
    AttachFile,
    /// Takes an attachment off a record.
    DetachFile,
    /// Saves an attachment outside the vault.
    SaveAttachment,
    /// Looks at an attachment.
    PreviewAttachment,
    /// Puts records into the trash, and takes them out again.
    TrashRecords,
    /// Deletes records in the trash for good, before their time.
    PurgeRecords,
    /// Deletes records whose time in the trash is over.
    PurgeExpired,
    /// Takes records out of a tenant whole, for another tenant. Who moves them there also needs
    /// [`Action::ReceiveRecords`] in that one.
    SendRecords,
    /// Takes in whole records of another tenant.
    ReceiveRecords,
    /// Marks records as favourites of one's own.
    MarkFavourite,
    /// Keeps what one is writing, and takes it up again.
    KeepDraft,
    /// Searches a tenant.
    SearchRecords,
    /// Lists a tenant's tags.
    ListTags,
    /// Renames or removes a tag wherever it is.
    ChangeTags,
    /// Keeps searches under names of its own.
    SaveSearches,
    /// Imports records into a tenant.
    ImportRecords,
    /// Writes a tenant's records to a file outside the vault.
    ExportTenant,
    /// Makes a redacted twin of a tenant. Who does so also needs [`Action::CreateTenant`].
    TwinTenant,
    /// Searches everything of a tenant for a person: history, secrets and trash, too.
    FindSubject,
    /// Writes what a tenant holds about a person to a file outside the vault.
    ExportSubject,
    /// Deletes what a tenant holds about a person for good.
    EraseSubject,
    /// Writes a backup of the whole vault, ciphertext only.
    ExportBackup,
    /// Verifies a backup.
    VerifyBackup,
    /// Restores a backup into a new folder.
    RestoreBackup,
    /// Moves the vault to another computer, and takes that back. Nothing else is done to a copy that was moved.
    MoveVault,
    /// Gives this device a key for unattended work.
    EnrolDevice,
    /// Reads the log.
    ReadLog,
    /// Verifies the log.
    VerifyLog,
    /// Checks that the recovery kit was kept.
    ConfirmRecoveryKit,
    /// Holds the tenants' files against what was remembered when they were locked.
    CheckFiles,
    /// Sees which accounts there are, with roles and grants.
    ListPeople,
    /// Invites somebody to become an account, and takes an invitation back.
    InvitePeople,
    /// Gives an account other roles.
    SetRoles,
    /// Removes an account, at once or to invite the person anew.
    RemoveAccount,
    /// Says by when an account has to have left, or that it stays.
    SetLeaving,
    /// Reads how an account left, and what is still to be done about it.
    SeeOffboarding,
    /// Lists which secrets of a tenant somebody has seen who may not any more, and reports on it.
    ListExposures,
    /// Compares what stewards reported of an account's exposures with the log.
    CheckExposures,
    /// Changes what opens one's own account: passphrase, key factors, personal recovery code.
    ChangePassphrase,
    /// Enrols, changes or removes one's own second factor.
    EnrolSecondFactor,
    /// Sees the rules of the vault.
    SeePolicy,
    /// Changes the rules of the vault.
    SetPolicy,
    /// Pins the identity provider whose tokens accounts may need.
    PinProvider,
    /// Says which accounts need them.
    FederateAccount,
    /// Grants a tenant to another account, or changes what it may do there.
    GrantTenant,
    /// Takes a tenant from an account.
    WithdrawGrant,
    /// Gives up a tenant that was granted to oneself.
    GiveUpGrant,
    /// Splits a tenant's key among custodians, two of whom open it in an emergency.
    PrepareGlass,
    /// Opens a tenant in an emergency, with another custodian of its key.
    BreakGlass,
    /// Sees of which tenants there are custodians, and when they opened one.
    SeeGlass,
    /// Gives a tenant a new key.
    RekeyTenant,
    /// Gives the directory a new key.
    RekeyDirectory,
    /// Replaces the key of the log.
    ReplaceAuditKey,
    /// Replaces the key of administrators and auditors together.
    ReplaceOfficeKey,
    /// Sees which keys there are, their states and periods.
    SeeKeys,
    /// Sees who holds which key.
    SeeKeyAccess,
    /// Says that the key of the directory, of recovery or of a device may be in wrong hands. Of the others whoever replaces
    /// them says so.
    MarkCompromised,
    /// Changes for how long keys are used.
    SetCryptoperiods,
    /// Gives this device another key.
    ReplaceDeviceKey,
    /// Uses the recovery kit to become steward of tenants that have none.
    RecoverTenants,
    /// Gives recovery another seed.
    RenewRecovery,
    /// Trusts the recovery that an administrator has named.
    AcceptRecovery,
}

/// What an action asks of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requirement {
    /// Any account, unlocked.
    Unlocked,
    /// A role of the vault.
    Role(Role),
    /// A right on the tenant concerned.
    Right(Right),
    /// One or the other.
    RoleOrRight(Role, Right),
    /// The role of an administrator or an auditor.
    Officer,
}

impl Action {
    /// Every action, for the matrix in the tests and the documents.
    pub const ALL: [Self; 76] = [
        Self::ListTenants,
        Self::CreateTenant,
        Self::ListRecords,
        Self::OpenRecord,
        Self::RevealField,
        Self::CopyField,
        Self::ShowCode,
        Self::CopyCode,
        Self::ListExpiring,
        Self::AssessSecrets,
        Self::ListKinds,
        Self::ChangeKinds,
        Self::AddRecord,
        Self::ChangeRecord,
        Self::AttachFile,
        Self::DetachFile,
        Self::SaveAttachment,
        Self::PreviewAttachment,
        Self::TrashRecords,
        Self::PurgeRecords,
        Self::PurgeExpired,
        Self::SendRecords,
        Self::ReceiveRecords,
        Self::MarkFavourite,
        Self::KeepDraft,
        Self::SearchRecords,
        Self::ListTags,
        Self::ChangeTags,
        Self::SaveSearches,
        Self::ImportRecords,
        Self::ExportTenant,
        Self::TwinTenant,
        Self::FindSubject,
        Self::ExportSubject,
        Self::EraseSubject,
        Self::ExportBackup,
        Self::VerifyBackup,
        Self::RestoreBackup,
        Self::MoveVault,
        Self::EnrolDevice,
        Self::ReadLog,
        Self::VerifyLog,
        Self::ConfirmRecoveryKit,
        Self::CheckFiles,
        Self::ListPeople,
        Self::InvitePeople,
        Self::SetRoles,
        Self::RemoveAccount,
        Self::SetLeaving,
        Self::SeeOffboarding,
        Self::ListExposures,
        Self::CheckExposures,
        Self::ChangePassphrase,
        Self::EnrolSecondFactor,
        Self::SeePolicy,
        Self::SetPolicy,
        Self::PinProvider,
        Self::FederateAccount,
        Self::GrantTenant,
        Self::WithdrawGrant,
        Self::GiveUpGrant,
        Self::PrepareGlass,
        Self::BreakGlass,
        Self::SeeGlass,
        Self::RekeyTenant,
        Self::RekeyDirectory,
        Self::ReplaceAuditKey,
        Self::ReplaceOfficeKey,
        Self::SeeKeys,
        Self::SeeKeyAccess,
        Self::MarkCompromised,
        Self::SetCryptoperiods,
        Self::ReplaceDeviceKey,
        Self::RecoverTenants,
        Self::RenewRecovery,
        Self::AcceptRecovery,
    ];

    /// The group under which an administrator can put the action under a stricter rule.
    pub const fn guarded(self) -> Option<Guarded> {
        match self {
            Self::RevealField | Self::CopyField | Self::ShowCode | Self::CopyCode => Some(Guarded::Reveal),
            Self::SaveAttachment => Some(Guarded::SaveFiles),
            Self::ExportTenant | Self::ExportSubject => Some(Guarded::Export),
            Self::PurgeRecords | Self::EraseSubject => Some(Guarded::Erase),
            Self::ExportBackup | Self::RestoreBackup | Self::MoveVault => Some(Guarded::Backup),
            Self::ReadLog => Some(Guarded::ReadLog),
            Self::GrantTenant | Self::WithdrawGrant => Some(Guarded::Grant),
            Self::RecoverTenants | Self::RenewRecovery => Some(Guarded::Recover),
            _ => None,
        }
    }

    const fn requirement(self) -> Requirement {
        match self {
            // Checking files reads ciphertext only; saved searches and the passphrase are the account's own. Who there is
            // everybody may know who holds the directory key: stewards have to.
            Self::ListTenants
            | Self::CheckFiles
            | Self::ListKinds
            | Self::SaveSearches
            | Self::ListPeople
            | Self::ChangePassphrase
            // What the account's own keys are sealed to is the account's own to say.
            | Self::AcceptRecovery
            // Which keys there are follows from who there is; of tenants each sees its own.
            | Self::SeeKeys
            // Enforced by keys: it takes the shares of two custodians, whom a steward named. Of tenants each sees its own.
            | Self::BreakGlass
            | Self::SeeGlass
            | Self::EnrolSecondFactor
            | Self::SeePolicy => Requirement::Unlocked,
            // Enforced by keys: without a grant there is no tenant key.
            Self::ListRecords
            | Self::OpenRecord
            | Self::RevealField
            | Self::CopyField
            | Self::SaveAttachment
            | Self::PreviewAttachment
            | Self::ShowCode
            | Self::CopyCode
            | Self::ListExpiring
            | Self::AssessSecrets
            | Self::SearchRecords
            | Self::ListTags
            | Self::MarkFavourite
            | Self::GiveUpGrant => Requirement::Right(Right::Reader),
            // Enforced by this program: a reader holds the same key.
            Self::AddRecord
            | Self::ChangeRecord
            | Self::ChangeTags
            | Self::AttachFile
            | Self::DetachFile
            | Self::ImportRecords
            // Whoever may add records may add these: what they show to this tenant's readers, the other one let go.
            | Self::ReceiveRecords
            | Self::TrashRecords
            | Self::PurgeExpired
            | Self::KeepDraft => Requirement::Right(Right::Editor),
            // What cannot be undone is for who answers for the data, and so is what leaves the vault as a whole. Enforced
            // by this program: whoever reads could copy by hand, but not all at once.
            // To ask whether secrets hold a text is as good as to see them, so searching for a person is, too.
            // What another tenant takes in, its readers see, every earlier secret too: that is as good as granting them
            // these records, and who is granted what is for the steward to say.
            Self::PurgeRecords
            | Self::SendRecords
            | Self::ExportTenant
            | Self::TwinTenant
            | Self::FindSubject
            | Self::ExportSubject
            | Self::EraseSubject
            // Who saw what is for who answers for the data.
            | Self::ListExposures
            // Enforced by keys: a statement counts only if a steward's key signed it.
            | Self::GrantTenant
            | Self::PrepareGlass
            | Self::RekeyTenant => Requirement::Right(Right::Steward),
            Self::WithdrawGrant => Requirement::RoleOrRight(Role::Administrator, Right::Steward),
            Self::CreateTenant
            | Self::ChangeKinds
            | Self::ExportBackup
            | Self::VerifyBackup
            | Self::RestoreBackup
            | Self::MoveVault
            | Self::EnrolDevice
            | Self::ConfirmRecoveryKit
            | Self::InvitePeople
            | Self::SetRoles
            | Self::RemoveAccount
            | Self::SetLeaving
            | Self::SetPolicy
            | Self::PinProvider
            | Self::FederateAccount
            | Self::RekeyDirectory
            | Self::MarkCompromised
            | Self::SetCryptoperiods
            | Self::ReplaceDeviceKey
            | Self::RecoverTenants
            // It puts a new key in force for the directory; over tenants only their stewards' word does.
            | Self::RenewRecovery => Requirement::Role(Role::Administrator),
            // Reading is enforced by keys: only auditors hold the audit key.
            Self::ReadLog | Self::VerifyLog | Self::CheckExposures | Self::ReplaceAuditKey => {
                Requirement::Role(Role::Auditor)
            }
            // What stewards report is sealed to the office: enforced by keys.
            Self::ReplaceOfficeKey | Self::SeeOffboarding | Self::SeeKeyAccess => Requirement::Officer,
        }
    }
}

/// Whether an account with these roles, and this right on the tenant concerned, may do it.
pub(crate) fn allows(action: Action, roles: Roles, right: Option<Right>) -> bool {
    match action.requirement() {
        Requirement::Unlocked => true,
        Requirement::Role(role) => roles.contains(role),
        Requirement::Right(needed) => right.is_some_and(|held| held >= needed),
        Requirement::RoleOrRight(role, needed) => roles.contains(role) || right.is_some_and(|held| held >= needed),
        Requirement::Officer => roles.is_officer(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn roles_open_no_tenant_and_rights_administer_no_vault() {
        for action in Action::ALL {
            let by_roles = allows(action, Roles::ALL, None);
            let by_right = allows(action, Roles::NONE, Some(Right::Steward));
            let open_to_all = allows(action, Roles::NONE, None);
            // A leaver's grants are taken away by an administrator, too, who gains nothing by it.
            let either = action == Action::WithdrawGrant;
            assert!(open_to_all || either || by_roles != by_right, "{action:?}");
        }
    }

    #[test]
    fn the_matrix_is_as_documented() {
        let mut matrix = String::new();
        for action in Action::ALL {
            let mark = |allowed: bool| if allowed { "yes" } else { "-" };
            let role = |role| mark(allows(action, Roles::NONE.with(role), None));
            let right = |right| mark(allows(action, Roles::NONE, Some(right)));
            writeln!(
                matrix,
                "{:<20} {:<5}{:<5}{:<5}{:<5}{:<5}{:<5}",
                format!("{action:?}"),
                role(Role::Administrator),
                role(Role::Auditor),
                role(Role::Member),
                right(Right::Reader),
                right(Right::Editor),
                right(Right::Steward)
            )
            .unwrap();
        }
        insta::assert_snapshot!(matrix);
    }
}
