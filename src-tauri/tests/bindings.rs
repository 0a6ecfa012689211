//! What the interface knows of the engine, held to what the engine is: its types are generated from the views, and its
//! calls are the commands.
//!
//! After a change: `UPDATE_BINDINGS=1 cargo test -p coffer-desktop --features e2e --test bindings`, then
//! `npm --prefix ui run format`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use coffer_core::view;
use coffer_desktop::commands::{
    AppState, BackupFile, BackupRow, COMMANDS, Chosen, Copied, ImportFile, Invited, MadeSecret, SavedKit, Screen,
    ShownCode,
};
use coffer_desktop::jobs::{Job, JobProgress, JobResult, JobState};
use coffer_desktop::refusal::Refusal;
use coffer_desktop::settings::{Language, LockPreset, Settings, Theme};
use coffer_model::key::KeyKind;
use ts_rs::{Config, TS};

const HEADING: &str = "// Generated from the engine's views and the desktop shell's answers by ts-rs. Not edited by hand.\n\
                       // UPDATE_BINDINGS=1 cargo test -p coffer-desktop --features e2e --test bindings\n";

fn api(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/lib/api").join(file)
}

/// Every type that comes out of a command.
fn generated() -> String {
    let config = Config::default();
    let mut text = HEADING.to_owned();
    macro_rules! declare {
        ($($type:ty),+ $(,)?) => {$(
            text.push_str(&format!("\nexport {}\n", <$type as TS>::decl(&config)));
        )+};
    }
    // What a key is for is a name that the model gives.
    let kinds: Vec<String> = KeyKind::ALL.iter().map(|kind| format!("\"{}\"", kind.name())).collect();
    text.push_str(&format!("\nexport type KeyKind = {};\n", kinds.join(" | ")));
    declare!(
        view::VaultView,
        view::SessionView,
        view::TenantView,
        view::RecordRow,
        view::RecordPage,
        view::TrashRow,
        view::TrashPage,
        view::BulkView,
        view::BulkTagView,
        view::TaggedRecord,
        view::MoveCut,
        view::MovePreview,
        view::MoveReport,
        view::MovedRecord,
        view::FavouriteView,
        view::DraftNote,
        view::DraftFieldView,
        view::DraftView,
        view::RecordView,
        view::FieldView,
        view::AttachmentView,
        view::AttachmentPreview,
        view::ReferenceView,
        view::KindView,
        view::KindFieldView,
        view::KindOptionView,
        view::ExpiringRecords,
        view::ExpiringView,
        view::SecretHealthView,
        view::SecretFindingView,
        view::SecretProblem,
        view::VersionView,
        view::ChangeView,
        view::ChangeKind,
        view::SearchResults,
        view::SearchHit,
        view::TagView,
        view::SavedSearchView,
        view::LogEntryView,
        view::LogPage,
        view::LogReport,
        view::LogFindingView,
        view::BackupView,
        view::ImportReport,
        view::ImportCount,
        view::ImportLoss,
        view::ImportPreviewRecord,
        view::ImportRowError,
        view::ImportColumn,
        view::TwinReport,
        view::SubjectFindings,
        view::SubjectScan,
        view::SubjectRecordView,
        view::SubjectPlaceView,
        view::SubjectPlace,
        view::SubjectDraftView,
        view::SubjectExportReport,
        view::SubjectErasureReport,
        view::SubjectBackupView,
        view::ExportReport,
        view::ExportLossView,
        view::PeopleView,
        view::VaultMoveView,
        view::VaultMoveState,
        view::AccountView,
        view::AccountState,
        view::GrantView,
        view::PendingKeyView,
        view::PendingKey,
        view::RecoveryView,
        view::SplitView,
        view::GlassView,
        view::BrokenGlassView,
        view::ExposuresView,
        view::AccountExposureView,
        view::ExposedSecretView,
        view::ExposureWay,
        view::OffboardingView,
        view::HeldKeyView,
        view::LeftTenantView,
        view::ExposureReportView,
        view::ExposureCheckView,
        view::ExposureCheckOutcome,
        view::CheckedTenantView,
        view::KeyRegisterView,
        view::KeyView,
        view::KeyState,
        view::CryptoperiodView,
        view::SuiteView,
        view::SuitePart,
        view::KeyAccessView,
        view::HeldKey,
        view::KeyHolder,
        view::WaysInView,
        view::PolicyView,
        view::ProviderView,
        view::ProviderKeyView,
        view::HealthView,
        view::HealthState,
        view::FileCheckView,
        view::FileState,
        view::Progress,
        view::ProgressUnit,
        Screen,
        Language,
        Theme,
        LockPreset,
        Settings,
        AppState,
        Chosen,
        SavedKit,
        Copied,
        ShownCode,
        MadeSecret,
        ImportFile,
        BackupRow,
        BackupFile,
        Invited,
        Refusal,
        Job,
        JobState,
        JobResult,
        JobProgress,
    );
    text
}

/// The text without what a formatter decides: white space, line ends, which of `,` and `;` ends a member, the bar before a
/// union of several lines, and quotes around the member that tells the variants of one apart.
fn without_format(text: &str) -> String {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let dense: String = code.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ';' { ',' } else { c }).collect();
    dense.replace(",}", "}").replace("=|", "=").replace(":|", ":").replace("{\"kind\":", "{kind:")
}

#[test]
fn the_interfaces_types_are_those_of_the_engine() {
    let (file, wanted) = (api("types.ts"), generated());
    if env::var_os("UPDATE_BINDINGS").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    let present = fs::read_to_string(&file).unwrap();
    assert!(
        without_format(&present) == without_format(&wanted),
        "ui/src/lib/api/types.ts is not what the engine answers; run\n  \
         UPDATE_BINDINGS=1 cargo test -p coffer-desktop --features e2e --test bindings && npm --prefix ui run format"
    );
}

#[test]
fn the_interface_calls_every_command_and_no_other() {
    let calls = fs::read_to_string(api("commands.ts")).unwrap();
    let called: BTreeSet<&str> =
        calls.split("call<").skip(1).filter_map(|call| call.split_once(">(\"")?.1.split('"').next()).collect();
    assert_eq!(called, COMMANDS.iter().copied().collect());
}
