//! Dialogs for files and folders. They run in this process, so that no path comes from the web view or goes to it.

use std::path::{Path, PathBuf};

use gtk::prelude::*;
use gtk::{FileChooserAction, ResponseType};

use super::words::Words;

/// What a file or folder is chosen for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The folder of a vault to be created.
    NewVault,
    /// The folder of a vault that exists.
    Vault,
    /// Where to save a recovery kit.
    Kit,
    /// The folder for shares of a recovery kit.
    Shares,
    /// A recovery kit, or shares of one.
    Papers,
    /// A backup that exists.
    Backup,
    /// Where to save a backup.
    BackupTarget,
    /// The folder of a vault to be restored.
    RestoreTarget,
    /// A file to import.
    Import,
    /// The key file of a file to import.
    SourceKeyFile,
    /// Where to save a tenant as a table.
    ExportCsv,
    /// Where to save a tenant as a KeePass database.
    ExportKdbx,
    /// Where to save a tenant as an archive.
    ExportArchive,
    /// Where to save a tenant as an encrypted archive.
    ExportEncryptedArchive,
    /// Where to save what is held about a person.
    SubjectTarget,
    /// A file to attach.
    Attach,
    /// Where to save an attachment.
    SaveAttachment,
    /// Where to save an activation code.
    ActivationCode,
    /// A token of the identity provider.
    Token,
    /// The key set of an identity provider.
    KeySet,
    /// A key file that exists.
    KeyFile,
    /// Where to make a key file.
    NewKeyFile,
    /// Where to save a personal recovery code.
    PersonalCode,
    /// Where to save spare codes.
    SpareCodes,
}

/// How a dialog for a purpose looks and what it takes.
struct Shape<'a> {
    title: &'a str,
    accept: &'a str,
    action: FileChooserAction,
    filter: Option<(&'a str, &'static str)>,
    /// Ending that a new name gets if it has none.
    ending: Option<&'static str>,
}

impl Purpose {
    fn shape(self, words: &Words) -> Shape<'_> {
        let backups = Some((words.filter_backup.as_str(), "*.age"));
        let texts = Some((words.filter_text.as_str(), "*.txt"));
        let (title, accept, action, filter, ending) = match self {
            Self::NewVault => {
                (&words.choose_new_vault, &words.choose, FileChooserAction::Save, None, Some(coffer_core::EXTENSION))
            }
            Self::Vault => (&words.choose_vault, &words.open, FileChooserAction::SelectFolder, None, None),
            Self::Kit => (&words.choose_kit, &words.save, FileChooserAction::Save, texts, Some("txt")),
            Self::ActivationCode => {
                (&words.choose_activation_code, &words.save, FileChooserAction::Save, texts, Some("txt"))
            }
            Self::PersonalCode => (&words.choose_personal, &words.save, FileChooserAction::Save, texts, Some("txt")),
            Self::SpareCodes => (&words.choose_spare, &words.save, FileChooserAction::Save, texts, Some("txt")),
            Self::Token => (&words.choose_token, &words.choose, FileChooserAction::Open, None, None),
            Self::KeySet => (&words.choose_key_set, &words.choose, FileChooserAction::Open, None, None),
            Self::KeyFile => (&words.choose_key_file, &words.choose, FileChooserAction::Open, None, None),
            Self::NewKeyFile => (&words.choose_new_key_file, &words.save, FileChooserAction::Save, None, None),
            Self::Shares => (&words.choose_shares, &words.save, FileChooserAction::Save, None, None),
            Self::Papers => (&words.choose_papers, &words.choose, FileChooserAction::Open, None, None),
            Self::Backup => (&words.choose_backup, &words.open, FileChooserAction::Open, backups, None),
            Self::BackupTarget => {
                (&words.choose_backup_target, &words.save, FileChooserAction::Save, backups, Some("age"))
            }
            Self::RestoreTarget => {
                let ending = Some(coffer_core::EXTENSION);
                (&words.choose_restore_target, &words.choose, FileChooserAction::Save, None, ending)
            }
            Self::Import => {
                // Whatever its name: the format is told by the content.
                (&words.choose_import, &words.open, FileChooserAction::Open, None, None)
            }
            Self::SourceKeyFile => (&words.choose_source_key, &words.open, FileChooserAction::Open, None, None),
            Self::ExportCsv => {
                let csv = Some((words.filter_csv.as_str(), "*.csv"));
                (&words.choose_export, &words.save, FileChooserAction::Save, csv, Some("csv"))
            }
            Self::ExportKdbx => {
                let kdbx = Some((words.filter_kdbx.as_str(), "*.kdbx"));
                (&words.choose_export, &words.save, FileChooserAction::Save, kdbx, Some("kdbx"))
            }
            Self::ExportArchive => {
                let archives = Some((words.filter_archive.as_str(), "*.tar"));
                (&words.choose_export, &words.save, FileChooserAction::Save, archives, Some("tar"))
            }
            Self::ExportEncryptedArchive => {
                let archives = Some((words.filter_encrypted_archive.as_str(), "*.age"));
                (&words.choose_export, &words.save, FileChooserAction::Save, archives, Some("age"))
            }
            Self::SubjectTarget => {
                let archives = Some((words.filter_archive.as_str(), "*.tar"));
                (&words.choose_subject, &words.save, FileChooserAction::Save, archives, Some("tar"))
            }
            Self::Attach => (&words.choose_attach, &words.attach, FileChooserAction::Open, None, None),
            Self::SaveAttachment => (&words.choose_save_attachment, &words.save, FileChooserAction::Save, None, None),
        };
        Shape { title, accept, action, filter, ending }
    }
}

/// Lets a person choose; `None` when declined. `suggested` is a name for what does not exist yet.
pub(crate) async fn choose(
    purpose: Purpose,
    parent: Option<&gtk::Window>,
    suggested: &str,
    words: &'static Words,
) -> Option<PathBuf> {
    ask(purpose, parent, suggested, false, words).await.into_iter().next()
}

/// Lets a person choose files that exist; none when declined.
pub(crate) async fn choose_several(
    purpose: Purpose,
    parent: Option<&gtk::Window>,
    words: &'static Words,
) -> Vec<PathBuf> {
    ask(purpose, parent, "", true, words).await
}

async fn ask(
    purpose: Purpose,
    parent: Option<&gtk::Window>,
    suggested: &str,
    several: bool,
    words: &'static Words,
) -> Vec<PathBuf> {
    #[cfg(feature = "e2e")]
    if let Some(path) = crate::automation::chosen(purpose) {
        return vec![path];
    }
    let shape = purpose.shape(words);
    let dialog =
        gtk::FileChooserNative::new(Some(shape.title), parent, shape.action, Some(shape.accept), Some(&words.cancel));
    dialog.set_modal(true);
    dialog.set_local_only(true);
    dialog.set_select_multiple(several);
    if shape.action == FileChooserAction::Save {
        dialog.set_do_overwrite_confirmation(true);
        dialog.set_current_name(suggested);
    }
    if let Some((name, pattern)) = shape.filter {
        let filter = gtk::FileFilter::new();
        filter.set_name(Some(name));
        filter.add_pattern(pattern);
        dialog.add_filter(filter);
    }
    let (sender, mut receiver) = tauri::async_runtime::channel(1);
    dialog.connect_response(move |dialog, response| {
        let chosen = if response == ResponseType::Accept { dialog.filenames() } else { Vec::new() };
        // Nobody else answers, so there is room.
        let _ = sender.try_send(chosen);
    });
    dialog.show();
    let chosen = receiver.recv().await.unwrap_or_default();
    dialog.destroy();
    chosen.iter().map(|path| with_ending(path, shape.ending)).collect()
}

/// Adds the ending that people need not type.
fn with_ending(path: &Path, ending: Option<&str>) -> PathBuf {
    match ending {
        Some(ending) if path.extension().is_none_or(|present| present != ending) => {
            let mut name = path.as_os_str().to_owned();
            name.push(".");
            name.push(ending);
            name.into()
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_added_once_and_dots_in_names_are_kept() {
        let ended = |path: &str| with_ending(Path::new(path), Some("coffer"));
        assert_eq!(ended("/v/Kanzlei"), Path::new("/v/Kanzlei.coffer"));
        assert_eq!(ended("/v/Kanzlei.coffer"), Path::new("/v/Kanzlei.coffer"));
        assert_eq!(ended("/v/Dr. Weiss"), Path::new("/v/Dr. Weiss.coffer"));
        assert_eq!(with_ending(Path::new("/v/any"), None), Path::new("/v/any"));
    }
}
