//! Entries of a KDBX file as records: groups become tags, the history earlier versions. Pure.
//! Rules: docs/FORMAT.md §8.5.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use coffer_model::record::limits::FIELD_NAME_CHARS;
use coffer_model::record::{FieldType, Value};
use zeroize::Zeroizing;

use super::xml::{EntryNode, StringNode, Tree, VersionNode};
use crate::neutral::{Attachment, Collection, Draft, LossKind, Losses, date_of, limits, record_from};
use crate::source::Format;
use crate::totp::{self, Settings};

/// Names of KeePassXC's fields of a passkey, which works nowhere else.
const PASSKEY: &str = "KPEX_PASSKEY_";

/// As people copy it: with padding or without.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Makes records of everything in the file but what lies in its recycle bin.
pub(super) fn collect(tree: Tree, binaries: &[&[u8]]) -> Collection {
    let mut losses = Losses::default();
    let mut entries = Vec::with_capacity(tree.entries.len());
    let mut attached_bytes = 0;
    for (number, entry) in (1_u64..).zip(tree.entries) {
        let bin = tree.recycle_bin.as_deref().filter(|bin| !bin.is_empty());
        if bin.is_some_and(|bin| entry.group.path().any(|group| group.id == bin)) {
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
        for _ in 0..entry.older {
            losses.push(Some(number), LossKind::Version, "");
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

/// The groups below the outermost, which is the database's own, as far as a loss tells of them.
fn group_path(entry: &EntryNode) -> String {
    let names: Vec<&str> = entry.group.path().map(|group| group.name.as_str()).collect();
    let mut length = 0;
    let is_told = |name: &&str| {
        let is_told = length <= FIELD_NAME_CHARS;
        length += name.chars().count() + 1;
        is_told
    };
    names.into_iter().rev().skip(1).take_while(is_told).collect::<Vec<_>>().join("/")
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
    let mut made_of = Vec::new();
    if let Some((seed, names)) = one_time_password(version) {
        draft.push_field(totp::FIELD_NAME, totp::FIELD_TYPE, seed, losses);
        made_of = names;
    }
    let is_custom = |string: &&StringNode| !is_known(&string.name) && !made_of.contains(&string.name.as_str());
    for custom in version.strings.iter().filter(is_custom) {
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

/// Strings that become something else than a field of their name, beside those that codes are made of.
fn is_known(name: &str) -> bool {
    matches!(name, "Title" | "UserName" | "Password" | "URL" | "Notes") || name.starts_with(PASSKEY)
}

/// The seed of one-time passwords, as KeePassXC (`otp`), KeePass 2 (`TimeOtp-…`) and older plugins keep it, and the names of
/// the strings that it is made of. What gives no codes, or would give other ones than there, makes none.
fn one_time_password(version: &VersionNode) -> Option<(Value, Vec<&'static str>)> {
    let text = |name: &str| {
        let found = version.strings.iter().find(|string| string.name == name);
        found.map(|string| string.value.expose().trim()).filter(|text| !text.is_empty())
    };
    let title = title_of(version);
    if let Some(uri) = text("otp") {
        return Some((totp::value_of(title, uri), vec!["otp"]));
    }
    of_plugins(title, text).or_else(|| of_keepass(title, text))
}

/// `TOTP Settings` are the period, the digits and, for clocks that are wrong, a server: `30;6;time.example.org`.
fn of_plugins<'t>(title: &str, text: impl Fn(&str) -> Option<&'t str>) -> Option<(Value, Vec<&'static str>)> {
    let seed = totp::seed_of(text("TOTP Seed")?)?;
    let mut parts = text("TOTP Settings").unwrap_or("30;6").split(';');
    let period_seconds = parts.next()?.trim().parse().ok()?;
    // Steam's codes are of letters, which the settings say by an S.
    let digits = parts.next().map_or(Some(Settings::USUAL.digits), |digits| digits.trim().parse().ok())?;
    let mut made_of = vec!["TOTP Seed"];
    if parts.next().is_none() {
        made_of.push("TOTP Settings");
    }
    Some((totp::uri(title, &seed, Settings { period_seconds, digits, ..Settings::USUAL }), made_of))
}

fn of_keepass<'t>(title: &str, text: impl Fn(&str) -> Option<&'t str>) -> Option<(Value, Vec<&'static str>)> {
    type Decode = fn(&str) -> Option<Zeroizing<String>>;
    const ENCODINGS: [(&str, Decode); 4] = [
        ("TimeOtp-Secret-Base32", totp::seed_of),
        ("TimeOtp-Secret-Hex", |text| Some(totp::base32(&Zeroizing::new(hex::decode(packed(text).as_bytes()).ok()?)))),
        ("TimeOtp-Secret-Base64", |text| {
            Some(totp::base32(&Zeroizing::new(LENIENT_BASE64.decode(packed(text).as_bytes()).ok()?)))
        }),
        ("TimeOtp-Secret", |text| Some(totp::base32(text.as_bytes()))),
    ];
    let (name, seed) = ENCODINGS.iter().find_map(|(name, decode)| Some((*name, decode(text(name)?)?)))?;
    let number = |name, usual| text(name).map_or(Some(usual), |number| number.parse().ok());
    let algorithm = match text("TimeOtp-Algorithm") {
        None | Some("HMAC-SHA-1") => "SHA1",
        Some("HMAC-SHA-256") => "SHA256",
        Some("HMAC-SHA-512") => "SHA512",
        Some(_) => return None,
    };
    let Settings { period_seconds, digits, .. } = Settings::USUAL;
    let settings = Settings {
        period_seconds: number("TimeOtp-Period", period_seconds)?,
        digits: number("TimeOtp-Length", digits)?,
        algorithm,
    };
    let made_of = vec![name, "TimeOtp-Period", "TimeOtp-Length", "TimeOtp-Algorithm"];
    Some((totp::uri(title, &seed, settings), made_of))
}

/// A text without white space.
fn packed(text: &str) -> Zeroizing<String> {
    let mut packed = Zeroizing::new(String::with_capacity(text.len()));
    packed.extend(text.split_whitespace());
    packed
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
    use crate::neutral::Loss;

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

    /// The fields of an entry with these strings.
    fn fields(strings: &[(&str, &str)]) -> Vec<(String, FieldType, String)> {
        let string = |(name, value): &(&str, &str)| format!("<String><Key>{name}</Key><Value>{value}</Value></String>");
        let strings: String = strings.iter().map(string).collect();
        let document = format!("<KeePassFile><Root><Group><Entry>{strings}</Entry></Group></Root></KeePassFile>");
        let collection = collect(xml::parse(&document, ProtectedStream::new(b"key")).unwrap(), &[]);
        let content = &collection.entries[0].as_ref().unwrap().content;
        let field = |field: &coffer_model::record::Field| {
            (field.name.clone(), field.field_type, field.value.expose().to_owned())
        };
        content.fields().iter().map(field).collect()
    }

    fn seed(base32: &str, settings: &str) -> Vec<(String, FieldType, String)> {
        vec![(totp::FIELD_NAME.to_owned(), FieldType::Totp, format!("otpauth://totp/?secret={base32}&{settings}"))]
    }

    /// As they are: secrets under their own names.
    fn kept(strings: &[(&str, &str)]) -> Vec<(String, FieldType, String)> {
        strings.iter().map(|&(name, value)| (name.to_owned(), FieldType::Secret, value.to_owned())).collect()
    }

    #[test]
    fn seeds_are_read_in_groups_and_without_padding() {
        // "Hello!", several times: a seed has ten bytes at least.
        let expected = seed("JBSWY3DPEFEGK3DMN4QUQZLMNRXSC", "period=30&digits=6&algorithm=SHA1");
        let hex = "48 65 6C 6C 6F 21 48 65 6C 6C 6F 21 48 65 6C 6C\n6F 21";
        assert_eq!(fields(&[("TimeOtp-Secret-Hex", hex)]), expected);
        assert_eq!(fields(&[("TimeOtp-Secret-Base64", "SGVsbG8hSGVs bG8hSGVsbG8h")]), expected);
        let twice = seed("JBSWY3DPEFEGK3DMN4QQ", "period=60&digits=8&algorithm=SHA256");
        let settings = [("TimeOtp-Period", "60"), ("TimeOtp-Length", "8"), ("TimeOtp-Algorithm", "HMAC-SHA-256")];
        assert_eq!(fields(&[&[("TimeOtp-Secret-Base64", "SGVsbG8hSGVsbG8h")][..], &settings].concat()), twice);
        let one_short = seed("JBSWY3DPEFEGK3DMN4", "period=30&digits=6&algorithm=SHA1");
        for base64 in ["SGVsbG8hSGVsbG8", "SGVsbG8hSGVsbG8="] {
            assert_eq!(fields(&[("TimeOtp-Secret-Base64", base64)]), one_short, "{base64}");
        }
        assert_eq!(
            fields(&[("TOTP Seed", "jbsw y3dp ehpk 3pxp"), ("TOTP Settings", "60;8")]),
            seed("JBSWY3DPEHPK3PXP", "period=60&digits=8&algorithm=SHA1")
        );
    }

    #[test]
    fn what_makes_no_codes_or_other_ones_is_kept_as_it_is() {
        for strings in [
            &[("TimeOtp-Secret-Hex", "48 65 6C 6")][..],
            &[("TimeOtp-Secret-Base64", "SGVsbG8!"), ("TimeOtp-Period", "60")],
            &[("TimeOtp-Secret-Base32", "JBSWY3DPEHPK3PX1")],
            &[("TimeOtp-Secret-Base32", "JBSWY3DPEHPK3PXP"), ("TimeOtp-Algorithm", "HMAC-SHA3-256")],
            &[("TimeOtp-Secret-Base32", "JBSWY3DPEHPK3PXP"), ("TimeOtp-Length", "six")],
            // Steam's codes are of letters.
            &[("TOTP Seed", "JBSWY3DPEHPK3PXP"), ("TOTP Settings", "30;S")],
            &[("TOTP Seed", "not base 32!"), ("TOTP Settings", "30;6")],
            &[("TOTP Settings", "30;6"), ("TimeOtp-Period", "30"), ("TimeOtp-Other", "x")],
        ] {
            assert_eq!(fields(strings), kept(strings), "{strings:?}");
        }
    }

    #[test]
    fn what_stands_beside_the_seed_that_was_taken_is_kept() {
        let strings = [
            ("TOTP Seed", "JBSWY3DPEHPK3PXP"),
            ("TOTP Settings", "30;6;time.example.org"),
            ("TimeOtp-Secret-Base32", "GEZDGNBVGY3TQOJQ"),
        ];
        let expected = [seed("JBSWY3DPEHPK3PXP", "period=30&digits=6&algorithm=SHA1"), kept(&strings[1..])].concat();
        assert_eq!(fields(&strings), expected);
    }

    #[test]
    fn a_group_with_an_endless_name_is_told_of_each_entry_and_costs_nothing() {
        let (name, entries) = ("n".repeat(1024 * 1024), "<Entry></Entry>".repeat(10_000));
        let document = format!(
            "<KeePassFile><Root><Group><Group><Name>{name}</Name><UUID>{name}</UUID>{entries}</Group></Group></Root></KeePassFile>"
        );
        let collection = collect(xml::parse(&document, ProtectedStream::new(b"key")).unwrap(), &[]);
        assert_eq!((collection.entries.len(), collection.losses_counted), (10_000, 10_000));
        assert_eq!(collection.losses[0], Loss { entry: Some(1), what: LossKind::Tag, name: "n".repeat(120) });
    }

    #[test]
    fn entries_have_the_path_of_the_group_they_are_in() {
        let entry = |title: &str| format!("<Entry><String><Key>Title</Key><Value>{title}</Value></String></Entry>");
        let document = format!(
            "<KeePassFile><Root><Group><Name>All</Name>{}<Group><Name>A</Name>{}<Group><Name>B</Name>{}</Group>{}</Group>{}\
             </Group></Root></KeePassFile>",
            entry("1"),
            entry("2"),
            entry("3"),
            entry("4"),
            entry("5"),
        );
        let collection = collect(xml::parse(&document, ProtectedStream::new(b"key")).unwrap(), &[]);
        let tags: Vec<String> =
            collection.entries.iter().map(|entry| entry.as_ref().unwrap().content.tags().concat()).collect();
        assert_eq!(tags, ["", "A", "A/B", "A", ""]);
    }

    #[test]
    fn the_newest_two_hundred_versions_stay_and_each_before_is_a_loss() {
        let entry = |title: usize| format!("<Entry><String><Key>Title</Key><Value>{title}</Value></String></Entry>");
        let history: String = (0..10_300).map(entry).collect();
        let document = format!(
            "<KeePassFile><Root><Group><Entry>{}<History>{history}</History></Entry></Group></Root></KeePassFile>",
            "<String><Key>Title</Key><Value>now</Value></String>"
        );
        let collection = collect(xml::parse(&document, ProtectedStream::new(b"key")).unwrap(), &[]);
        let earlier = &collection.entries[0].as_ref().unwrap().earlier;
        let ends = [&earlier[0], &earlier[earlier.len() - 1]].map(|version| version.content.title());
        assert_eq!((earlier.len(), ends, collection.losses_counted), (200, ["10100", "10299"], 10_100));
        assert!(collection.losses.iter().all(|loss| loss.what == LossKind::Version));
    }

    #[test]
    fn an_empty_file_that_says_it_is_compressed_is_empty() {
        let document =
            "<KeePassFile><Meta><Binaries><Binary ID=\"0\" Compressed=\"True\"/></Binaries></Meta></KeePassFile>";
        let tree = xml::parse(document, ProtectedStream::salsa20(b"key")).unwrap();
        assert_eq!(tree.binaries.iter().map(|file| file.len()).collect::<Vec<_>>(), [0]);
    }
}
