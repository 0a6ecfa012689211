//! What lets tests drive the program. Compiled with the feature `e2e` alone, which packages are built without.

use std::env;
use std::path::PathBuf;

use crate::native::files::Purpose;

/// Says in the program's bytes that this module is in it; the web view names itself so, too.
pub(crate) const MARK: &str = "coffer-e2e-automation";

/// Whether a test drives the web view.
pub(crate) fn is_driven() -> bool {
    env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some()
}

/// What a test has chosen instead of a person at a file dialog.
pub(crate) fn chosen(purpose: Purpose) -> Option<PathBuf> {
    let variable = match purpose {
        Purpose::NewVault => "COFFER_E2E_NEW_VAULT",
        Purpose::Vault => "COFFER_E2E_VAULT",
        Purpose::Kit => "COFFER_E2E_KIT",
        Purpose::Shares => "COFFER_E2E_SHARES",
        Purpose::Papers => "COFFER_E2E_PAPERS",
        Purpose::Backup => "COFFER_E2E_BACKUP",
        Purpose::BackupTarget => "COFFER_E2E_BACKUP_TARGET",
        Purpose::RestoreTarget => "COFFER_E2E_RESTORE_TARGET",
        Purpose::Import => "COFFER_E2E_IMPORT",
        Purpose::SourceKeyFile => "COFFER_E2E_SOURCE_KEY",
        Purpose::ExportCsv => "COFFER_E2E_EXPORT_CSV",
        Purpose::ExportKdbx => "COFFER_E2E_EXPORT_KDBX",
        Purpose::ExportArchive | Purpose::ExportEncryptedArchive => "COFFER_E2E_EXPORT_ARCHIVE",
        Purpose::SubjectTarget => "COFFER_E2E_SUBJECT",
        Purpose::Attach => "COFFER_E2E_ATTACH",
        Purpose::SaveAttachment => "COFFER_E2E_SAVE_ATTACHMENT",
        Purpose::ActivationCode => "COFFER_E2E_ACTIVATION_CODE",
        Purpose::Token => "COFFER_E2E_TOKEN",
        Purpose::KeySet => "COFFER_E2E_KEY_SET",
        Purpose::KeyFile => "COFFER_E2E_KEY_FILE",
        Purpose::NewKeyFile => "COFFER_E2E_NEW_KEY_FILE",
        Purpose::PersonalCode => "COFFER_E2E_PERSONAL_CODE",
        Purpose::SpareCodes => "COFFER_E2E_SPARE_CODES",
    };
    env::var_os(variable).map(PathBuf::from)
}
