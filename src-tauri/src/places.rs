//! Vaults that were open on this machine: where they are and which login was used there. Nothing of what is in them.

use std::path::{Path, PathBuf};

use gtk::glib;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::storage;

const FILE: &str = "places.json";
/// More are forgotten, the longest unused first.
const MOST: usize = 20;

/// A remembered vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Names the place to the web view, which never learns the folder. Random.
    pub(crate) handle: String,
    /// The folder's name without `.coffer`.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// The login used there last.
    pub(crate) login: Option<String>,
    /// Whether that login needs a code of a second factor.
    #[serde(default)]
    pub(crate) code: bool,
    /// Where that login's key file was. Never what is in it.
    #[serde(default)]
    pub(crate) key_file: Option<PathBuf>,
}

impl Place {
    /// Where it is, for the person's eyes: `~` for their home.
    pub(crate) fn folder_shortened(&self) -> String {
        match self.folder.strip_prefix(glib::home_dir()) {
            Ok(inside) => format!("~/{}", inside.display()),
            Err(_) => self.folder.display().to_string(),
        }
    }
}

/// The remembered vaults, the one used last first.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<Place>);

impl Places {
    /// Reads the file. A list that nobody understands is a list of nothing: every vault can still be opened by hand.
    pub(crate) fn load() -> Self {
        Self(storage::read(FILE).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Place] {
        &self.0
    }

    /// The place of a handle.
    pub(crate) fn find(&self, handle: &str) -> Option<&Place> {
        self.0.iter().find(|place| place.handle == handle)
    }

    /// Puts the vault in `folder` first. `new_handle` is for one not known yet.
    pub(crate) fn remember(&mut self, folder: &Path, login: Option<&str>, new_handle: String) -> Place {
        let known = self.0.iter().position(|place| place.folder == folder).map(|at| self.0.remove(at));
        let mut place = known.unwrap_or_else(|| Place {
            handle: new_handle,
            name: folder.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            login: None,
            code: false,
            key_file: None,
        });
        if let Some(login) = login
            && place.login.as_deref() != Some(login)
        {
            place.login = Some(login.to_owned());
            (place.code, place.key_file) = (false, None);
        }
        self.0.insert(0, place.clone());
        self.0.truncate(MOST);
        place
    }

    /// Notes what the login used last at the first place needs besides a passphrase. A key file's place that is not given
    /// stays as it was.
    pub(crate) fn note_needs(&mut self, code: bool, key_file: bool, path: Option<&Path>) {
        let Some(place) = self.0.first_mut() else { return };
        place.code = code;
        place.key_file = path.map(Path::to_owned).or_else(|| place.key_file.take()).filter(|_| key_file);
    }

    /// Adds the vault in `folder` at the end, unless it is known.
    pub(crate) fn remember_last(&mut self, folder: &Path, new_handle: String) {
        let first = self.0.first().cloned();
        self.remember(folder, None, new_handle);
        if let Some(first) = first {
            self.remember(&first.folder, None, first.handle);
        }
    }

    /// Keeps the list.
    pub(crate) fn save(&self) -> Result<(), Refusal> {
        let bytes = serde_json::to_vec_pretty(&self.0).map_err(|_| Refusal { code: "io" })?;
        Ok(storage::replace(FILE, &bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vault_used_last_comes_first_and_keeps_its_handle_and_login() {
        let mut places = Places::default();
        let first = places.remember(Path::new("/v/Kanzlei.coffer"), Some("ines"), "1".to_owned());
        places.remember(Path::new("/v/Praxis.coffer"), None, "2".to_owned());
        assert_eq!(first.name, "Kanzlei");
        assert_eq!(places.all()[0].handle, "2");
        let again = places.remember(Path::new("/v/Kanzlei.coffer"), None, "3".to_owned());
        assert_eq!((again.handle.as_str(), again.login.as_deref()), ("1", Some("ines")));
        assert_eq!(places.all().iter().map(|place| place.handle.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn what_a_login_needs_is_forgotten_with_it() {
        let (folder, key) = (Path::new("/v/Kanzlei.coffer"), Path::new("/stick/key"));
        let mut places = Places::default();
        places.remember(folder, Some("ines"), "1".to_owned());
        places.note_needs(true, true, Some(key));
        places.note_needs(true, true, None);
        let same = places.remember(folder, Some("ines"), "2".to_owned());
        assert_eq!((same.code, same.key_file.as_deref()), (true, Some(key)));
        let other = places.remember(folder, Some("mika"), "3".to_owned());
        assert_eq!((other.code, other.key_file), (false, None));
    }

    #[test]
    fn the_list_has_an_end() {
        let mut places = Places::default();
        for number in 0..30 {
            places.remember(Path::new(&format!("/v/{number}.coffer")), None, number.to_string());
        }
        assert_eq!(places.all().len(), MOST);
        assert_eq!(places.all()[0].handle, "29");
    }
}
