//! Entries of a KDBX file as records: groups become tags, the history earlier versions. Pure.
//! Rules: docs/FORMAT.md §8.5.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_model::record::{FieldType, Value};
use zeroize::Zeroizing;

use super::xml::{EntryNode, StringNode, Tree, VersionNode};
use crate::neutral::{Attachment, Collection, Draft, LossKind, Losses, date_of, limits, record_from};
use crate::source::Format;
use crate::totp::{self, Settings};

/// Names of KeePassXC's fields of a passkey, which works nowhere else.
const PASSKEY: &str = "KPEX_PASSKEY_";

/// Makes records of everything in the file but what lies in its recycle bin.
pub(super) fn collect(tree: Tree, binaries: &[&[u8]]) -> Collection {
    let mut losses = Losses::default();
    let mut entries = Vec::with_capacity(tree.entries.len());
    let mut attached_bytes = 0;
    for (number, entry) in (1_u64..).zip(tree.entries) {
        let bin = tree.recycle_bin.as_deref().filter(|bin| !bin.is_empty());
        if bin.is_some_and(|bin| entry.groups.iter().any(|(id, _)| id == bin)) {
            losses.push(Some(number), LossKind::TrashedEntry, title_of(&entry.now));
            continue;
        }
        let attachments = attachments(number, &entry.now, binaries, &mut attached_bytes, &mut losses);
        tell_earlier_files(number, &entry, &mut losses);
        let tag = group_path(&entry);
        // What every version lacks is told once, of the one that stands.
        let mut untold = Losses::default();
        let mut versions: Vec<Draft> =
            entry.history.iter().map(|version| draft(number, version, &tag, &mut untold)).collect();
        for loss in untold.into_parts().0.iter().filter(|loss| loss.what == LossKind::Field) {
            losses.push(Some(number), LossKind::Version, &loss.name);
        }
        versions.push(draft(number, &entry.now, &tag, &mut losses));
        entries.push(record_from(number, versions, attachments, &mut losses));
    }
    if tree.icons > 0 {
        losses.push(None, LossKind::Icon, "");
    }
    let (losses, losses_counted) = losses.into_parts();
    Collection { format: Format::Kdbx, entries, losses, losses_counted }
}

/// The groups below the outermost, which is the database's own.
fn group_path(entry: &EntryNode) -> String {
    let names: Vec<&str> = entry.groups.iter().skip(1).map(|(_, name)| name.as_str()).collect();
    names.join("/")
}

fn title_of(version: &VersionNode) -> &str {
    version.strings.iter().find(|string| string.name == "Title").map_or("", |string| string.value.expose())
}

fn draft(number: u64, version: &VersionNode, group: &str, losses: &mut Losses) -> Draft {
    let mut draft = Draft::new(number, "note");
    draft.made_at = version.changed_at;
    draft.set_title(title_of(version), losses);
    let string = |name: &str| version.strings.iter().find(|string| string.name == name);
    for (name, field_name, field_type) in [
        ("UserName", "User name", FieldType::Text),
        ("Password", "Password", FieldType::Secret),
        ("URL", "URL", FieldType::Url),
    ] {
        if let Some(found) = string(name).filter(|found| !found.value.expose().is_empty()) {
            draft.set_kind("login");
            // A user name that was protected stays hidden.
            let field_type = if found.protected { FieldType::Secret } else { field_type };
            draft.push_field(field_name, field_type, found.value.clone(), losses);
        }
    }
    if let Some(seed) = one_time_password(version) {
        draft.push_field(totp::FIELD_NAME, totp::FIELD_TYPE, seed, losses);
    }
    for custom in version.strings.iter().filter(|string| !is_known(&string.name)) {
        draft.push_field(&custom.name, custom_type(custom), custom.value.clone(), losses);
    }
    if let Some(at) = version.expires_at {
        draft.push_field("Expires", FieldType::Expiry, date_of(at).as_str(), losses);
        losses.push(Some(number), LossKind::TimeOfExpiry, "Expires");
    }
    draft.push_tag(group, losses);
    for tag in version.tags.split([';', ',']) {
        draft.push_tag(tag, losses);
    }
    if let Some(notes) = string("Notes") {
        // Notes are not masked in Coffer.
        if notes.protected {
            draft.push_field("Notes", FieldType::Secret, notes.value.clone(), losses);
        } else {
            draft.set_notes(notes.value.clone(), losses);
        }
    }
    tell_losses(number, version, losses);
    draft
}

/// What of a version no record has a place for.
fn tell_losses(number: u64, version: &VersionNode, losses: &mut Losses) {
    let mut tell = |is: bool, what, name: &str| {
        if is {
            losses.push(Some(number), what, name);
        }
    };
    tell(version.strings.iter().any(|string| string.name.starts_with(PASSKEY)), LossKind::Passkey, "");
    tell(version.has_auto_type, LossKind::AutoType, "");
    tell(version.has_custom_data, LossKind::CustomData, "");
    tell(version.has_icon, LossKind::Icon, "");
    for string in version.strings.iter().filter(|string| string.value.expose().contains("{REF:")) {
        // The text stays; that it stood for another entry's field is what is lost.
        tell(true, LossKind::Reference, &string.name);
    }
}

fn custom_type(custom: &StringNode) -> FieldType {
    let text = custom.value.expose();
    if custom.protected {
        FieldType::Secret
    } else if ["https://", "http://", "ssh://"].iter().any(|scheme| text.starts_with(scheme)) {
        FieldType::Url
    } else {
        FieldType::guess_from_name(&custom.name)
    }
}

/// Strings that become something else than a field of their name.
fn is_known(name: &str) -> bool {
    matches!(name, "Title" | "UserName" | "Password" | "URL" | "Notes" | "otp" | "TOTP Seed" | "TOTP Settings")
        || name.starts_with("TimeOtp-")
        || name.starts_with(PASSKEY)
}

/// The seed of one-time passwords, as KeePassXC (`otp`), KeePass 2 (`TimeOtp-…`) and older plugins keep it.
fn one_time_password(version: &VersionNode) -> Option<Value> {
    let text = |name: &str| {
        let found = version.strings.iter().find(|string| string.name == name);
        found.map(|string| string.value.expose().trim()).filter(|text| !text.is_empty())
    };
    let title = title_of(version);
    if let Some(uri) = text("otp") {
        return Some(totp::value_of(title, uri));
    }
    if let Some(seed) = text("TOTP Seed") {
        let mut parts = text("TOTP Settings").unwrap_or_default().split(';');
        let period_seconds = parts.next().and_then(|part| part.parse().ok()).unwrap_or(30);
        let digits = parts.next().and_then(|part| part.parse().ok()).unwrap_or(6);
        return Some(totp::uri(title, seed, Settings { period_seconds, digits, ..Settings::USUAL }));
    }
    let seed: Zeroizing<String> = if let Some(seed) = text("TimeOtp-Secret-Base32") {
        Zeroizing::new(seed.to_owned())
    } else if let Some(seed) = text("TimeOtp-Secret-Hex") {
        totp::base32(&Zeroizing::new(hex::decode(seed).ok()?))
    } else if let Some(seed) = text("TimeOtp-Secret-Base64") {
        totp::base32(&Zeroizing::new(BASE64.decode(seed).ok()?))
    } else {
        totp::base32(text("TimeOtp-Secret")?.as_bytes())
    };
    let number = |name: &str, usual| text(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let algorithm = match text("TimeOtp-Algorithm") {
        Some("HMAC-SHA-256") => "SHA256",
        Some("HMAC-SHA-512") => "SHA512",
        Some(_) | None => "SHA1",
    };
    let settings =
        Settings { period_seconds: number("TimeOtp-Period", 30), digits: number("TimeOtp-Length", 6), algorithm };
    Some(totp::uri(title, &seed, settings))
}

/// Files that only earlier versions have: what is attached to a record when it arrives is attached to its newest version.
fn tell_earlier_files(number: u64, entry: &EntryNode, losses: &mut Losses) {
    let mut known: BTreeSet<_> = entry.now.files.iter().collect();
    for file in entry.history.iter().flat_map(|version| &version.files) {
        if known.insert(file) {
            losses.push(Some(number), LossKind::Attachment, &file.0);
        }
    }
}

fn attachments(
    number: u64,
    version: &VersionNode,
    binaries: &[&[u8]],
    attached_bytes: &mut u64,
    losses: &mut Losses,
) -> Vec<Attachment> {
    let mut attachments = Vec::new();
    for (name, reference) in &version.files {
        let bytes = reference.and_then(|index| binaries.get(index)).copied();
        let fits = |bytes: &&[u8]| {
            let length = bytes.len() as u64;
            length <= limits::ATTACHMENT_BYTES && *attached_bytes + length <= limits::ATTACHMENTS_BYTES
        };
        match bytes.filter(fits) {
            Some(bytes) => {
                *attached_bytes += bytes.len() as u64;
                attachments.push(Attachment { name: name.clone(), bytes: Zeroizing::new(bytes.to_vec()) });
            }
            None => losses.push(Some(number), LossKind::Attachment, name),
        }
    }
    attachments
}

#[cfg(test)]
mod tests {
    use super::super::payload::ProtectedStream;
    use super::super::xml;
    use super::*;

    #[test]
    fn files_that_only_earlier_versions_have_are_told() {
        let file = |name: &str, number: u8| format!("<Binary><Key>{name}</Key><Value Ref=\"{number}\"/></Binary>");
        let (new, old, empty) = (file("new.txt", 0), file("old.txt", 1), file("empty.txt", 2));
        let document = format!(
            "<KeePassFile><Root><Group><Name>All</Name><Entry><String><Key>Title</Key><Value>Gate</Value></String>{new}{empty}
             <History><Entry>{old}</Entry><Entry>{old}{new}</Entry></History></Entry></Group></Root></KeePassFile>"
        );
        let tree = xml::parse(&document, ProtectedStream::new(b"key")).unwrap();
        let collection = collect(tree, &[b"new", b"old", b""]);
        let entry = collection.entries[0].as_ref().unwrap();
        let attached: Vec<_> = entry.attachments.iter().map(|file| (file.name.as_str(), file.bytes.len())).collect();
        assert_eq!(attached, [("new.txt", 3), ("empty.txt", 0)]);
        let lost: Vec<_> = collection.losses.iter().map(|loss| (loss.what, loss.name.as_str())).collect();
        assert_eq!(lost, [(LossKind::Attachment, "old.txt")]);
    }

    #[test]
    fn an_empty_file_that_says_it_is_compressed_is_empty() {
        let document =
            "<KeePassFile><Meta><Binaries><Binary ID=\"0\" Compressed=\"True\"/></Binaries></Meta></KeePassFile>";
        let tree = xml::parse(document, ProtectedStream::salsa20(b"key")).unwrap();
        assert_eq!(tree.binaries.iter().map(|file| file.len()).collect::<Vec<_>>(), [0]);
    }
}
