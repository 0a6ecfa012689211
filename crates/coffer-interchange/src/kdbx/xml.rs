//! The document inside a KDBX file, read in one pass and of bounded depth. Pure.
//!
//! Protected values are taken off the stream wherever they stand, since each moves it on for all that follow.

use std::collections::VecDeque;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use coffer_model::record::Value;
use coffer_model::time::Timestamp;
use flate2::read::GzDecoder;
use quick_xml::events::{BytesStart, Event};
use zeroize::{Zeroize, Zeroizing};

use super::payload::ProtectedStream;
use crate::neutral::{limits, shortened};
use crate::source::{EXPANDED_BYTES, SourceError, expand};

/// Most levels of elements. KeePass's own interface does not go beyond a few dozen groups.
const DEPTH: usize = 256;
/// Most strings or files of one entry; beyond, the file is no person's.
const PARTS: usize = 10_000;
/// Most versions of all entries together: a document of [`TEXT_BYTES`](crate::source::TEXT_BYTES) that a program wrote
/// has room for half as many.
const VERSIONS: usize = 1_000_000;
/// Seconds from 0001-01-01T00:00:00Z, where KDBX 4 counts from, to 1970-01-01T00:00:00Z.
pub(super) const EPOCH_SECONDS: i64 = 62_135_596_800;

/// The entries of a file, in its order.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub entries: Vec<EntryNode>,
    pub recycle_bin: Option<String>,
    /// Files kept in the document itself, by their numbers (KDBX 3.1).
    pub binaries: Vec<Zeroizing<Vec<u8>>>,
    /// Icons of the person's own.
    pub icons: u64,
}

/// An entry with its history, oldest first.
#[derive(Debug, Default)]
pub(super) struct EntryNode {
    /// The innermost group it is in.
    pub group: Rc<Group>,
    pub now: VersionNode,
    /// The newest of them, as many as are kept.
    pub history: VecDeque<VersionNode>,
    /// How many were before those.
    pub older: u64,
}

/// A group, shared by what is in it: a file may have any number of entries in groups with names of any length.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    parent: Option<Rc<Self>>,
    pub id: String,
    pub name: String,
}

impl Group {
    /// The group and those it is in, innermost first.
    pub fn path(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |group| group.parent.as_deref())
    }
}

/// What an entry holds, or held.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says whether an element is there")]
pub(super) struct VersionNode {
    pub strings: Vec<StringNode>,
    /// Names of files, and which binary of the inner header each is.
    pub files: Vec<(String, Option<usize>)>,
    pub tags: String,
    pub changed_at: Option<Timestamp>,
    /// Only where it expires at all.
    pub expires_at: Option<Timestamp>,
    pub has_icon: bool,
    pub has_auto_type: bool,
    pub has_custom_data: bool,
    expires: bool,
    expiry: Option<Timestamp>,
    history: VecDeque<VersionNode>,
    older: u64,
}

/// A named value.
#[derive(Debug)]
pub(super) struct StringNode {
    pub name: String,
    pub value: Value,
    pub protected: bool,
}

/// Elements that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Root,
    Meta,
    Group,
    Entry,
    History,
    String,
    Binary,
    Times,
    AutoType,
    CustomData,
    CustomIcons,
    Binaries,
    Icon,
    Item,
    Association,
    Key,
    Value,
    Name,
    Uuid,
    Tags,
    CustomIconUuid,
    LastModificationTime,
    ExpiryTime,
    Expires,
    RecycleBin,
    Other,
}

impl Element {
    fn of(name: &str) -> Self {
        match name {
            "Root" => Self::Root,
            "Meta" => Self::Meta,
            "Group" => Self::Group,
            "Entry" => Self::Entry,
            "History" => Self::History,
            "String" => Self::String,
            "Binary" => Self::Binary,
            "Times" => Self::Times,
            "AutoType" => Self::AutoType,
            "CustomData" => Self::CustomData,
            "CustomIcons" => Self::CustomIcons,
            "Binaries" => Self::Binaries,
            "Icon" => Self::Icon,
            "Item" => Self::Item,
            "Association" => Self::Association,
            "Key" => Self::Key,
            "Value" => Self::Value,
            "Name" => Self::Name,
            "UUID" => Self::Uuid,
            "Tags" => Self::Tags,
            "CustomIconUUID" => Self::CustomIconUuid,
            "LastModificationTime" => Self::LastModificationTime,
            "ExpiryTime" => Self::ExpiryTime,
            "Expires" => Self::Expires,
            "RecycleBinUUID" => Self::RecycleBin,
            _ => Self::Other,
        }
    }
}

/// The reader's place in the document.
struct Reader {
    stream: ProtectedStream,
    tree: Tree,
    stack: Vec<Element>,
    groups: Vec<Rc<Group>>,
    /// The entry being read, and the version of its history inside it.
    versions: Vec<VersionNode>,
    versions_begun: usize,
    text: Zeroizing<String>,
    /// Of the string or file being read.
    key: String,
    value: Option<(Value, bool)>,
    reference: Option<usize>,
    is_protected: bool,
    /// Whether the file being read is compressed, of those in the document itself.
    is_compressed: bool,
    /// Bytes of all files in the document itself.
    binary_bytes: u64,
}

/// Reads the document.
pub(super) fn parse(xml: &str, stream: ProtectedStream) -> Result<Tree, SourceError> {
    let mut parser = quick_xml::Reader::from_str(xml.trim_start_matches('\u{FEFF}'));
    parser.config_mut().expand_empty_elements = true;
    let mut reader = Reader {
        stream,
        tree: Tree::default(),
        stack: Vec::new(),
        groups: Vec::new(),
        versions: Vec::new(),
        versions_begun: 0,
        text: Zeroizing::new(String::new()),
        key: String::new(),
        value: None,
        reference: None,
        is_protected: false,
        is_compressed: false,
        binary_bytes: 0,
    };
    loop {
        match parser.read_event().map_err(|_| SourceError::Damaged)? {
            Event::Start(tag) => reader.start(&tag)?,
            Event::End(_) => reader.end()?,
            Event::Text(text) => reader.text.push_str(&text.xml10_content()),
            Event::CData(text) => reader.text.push_str(&text),
            Event::GeneralRef(reference) => {
                let predefined = quick_xml::escape::resolve_predefined_entity(&reference);
                match (reference.resolve_char_ref(), predefined) {
                    (Ok(Some(character)), _) => reader.text.push(character),
                    (Ok(None), Some(text)) => reader.text.push_str(text),
                    (Ok(None), None) | (Err(_), _) => return Err(SourceError::Damaged),
                }
            }
            // A document type could define entities; no program writes one. An empty element comes as a start and an
            // end, as the parser was told.
            Event::DocType(_) | Event::Empty(_) => return Err(SourceError::Damaged),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if reader.stack.is_empty() { Ok(reader.tree) } else { Err(SourceError::Damaged) }
}

impl Reader {
    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), SourceError> {
        if self.stack.len() >= DEPTH {
            return Err(SourceError::TooMany);
        }
        let element = Element::of(tag.name().as_ref());
        self.clear_text();
        match element {
            Element::Group => {
                let parent = self.groups.last().cloned();
                self.groups.push(Rc::new(Group { parent, ..Group::default() }));
            }
            Element::Entry => self.begin_version()?,
            Element::Binary if self.stack.last() == Some(&Element::Binaries) => {
                self.is_protected = is_set(tag, "Protected")?;
                self.is_compressed = is_set(tag, "Compressed")?;
                self.reference = attribute(tag, "ID")?.and_then(|number| number.parse().ok());
            }
            Element::String | Element::Binary => {
                self.key.clear();
                (self.value, self.reference) = (None, None);
            }
            Element::Value => {
                self.is_protected = is_set(tag, "Protected")?;
                self.reference = attribute(tag, "Ref")?.and_then(|number| number.parse().ok());
            }
            _ => {}
        }
        self.stack.push(element);
        Ok(())
    }

    /// Erases the text so far, and not all the room that the longest one took: there may be any number of elements.
    fn clear_text(&mut self) {
        self.text.as_mut_str().zeroize();
        self.text.clear();
    }

    fn begin_version(&mut self) -> Result<(), SourceError> {
        if !matches!((self.versions.len(), self.stack.last()), (0, Some(Element::Group)) | (1, Some(Element::History)))
        {
            return Err(SourceError::Damaged);
        }
        self.versions_begun += 1;
        if self.tree.entries.len() >= limits::ENTRIES || self.versions_begun > VERSIONS {
            return Err(SourceError::TooMany);
        }
        self.versions.push(VersionNode::default());
        Ok(())
    }

    fn end(&mut self) -> Result<(), SourceError> {
        let element = self.stack.pop().ok_or(SourceError::Damaged)?;
        let parent = self.stack.last().copied().unwrap_or(Element::Other);
        if element == Element::Value {
            self.end_value()?;
        }
        match (parent, element) {
            (Element::Meta, Element::RecycleBin) => self.tree.recycle_bin = Some(shortened(&self.text)),
            (Element::CustomIcons, Element::Icon) => self.tree.icons += 1,
            (Element::Binaries, Element::Binary) => self.end_binary()?,
            (_, Element::Group) => drop(self.groups.pop()),
            (Element::Group, Element::Uuid) => self.set_group(|group, text| group.id = shortened(text)),
            (Element::Group, Element::Name) => self.set_group(|group, text| group.name = shortened(text)),
            (_, Element::Entry) => self.end_version(),
            (Element::String | Element::Binary, Element::Key) => self.key = self.text.to_string(),
            (Element::Entry, Element::String) => self.end_string()?,
            (Element::Entry, Element::Binary) => self.end_file()?,
            (Element::Times, _) => self.set_time(element)?,
            (Element::Entry, _) => self.set_property(element),
            (Element::CustomData, Element::Item) if self.stack.iter().rev().nth(1) == Some(&Element::Entry) => {
                self.set_version(|version, _| version.has_custom_data = true);
            }
            (Element::AutoType, Element::Association) => {
                self.set_version(|version, _| version.has_auto_type = true);
            }
            _ => {}
        }
        self.clear_text();
        Ok(())
    }

    fn set_group(&mut self, set: impl FnOnce(&mut Group, &str)) {
        if let Some(group) = self.groups.last_mut() {
            set(Rc::make_mut(group), &self.text);
        }
    }

    fn set_version(&mut self, set: impl FnOnce(&mut VersionNode, &str)) {
        if let Some(version) = self.versions.last_mut() {
            set(version, &self.text);
        }
    }

    fn set_property(&mut self, element: Element) {
        match element {
            Element::Tags => self.set_version(|version, text| text.clone_into(&mut version.tags)),
            Element::CustomIconUuid => self.set_version(|version, text| version.has_icon = !text.trim().is_empty()),
            _ => {}
        }
    }

    fn set_time(&mut self, element: Element) -> Result<(), SourceError> {
        // Groups have times, too.
        if self.stack.iter().rev().nth(1) != Some(&Element::Entry) {
            return Ok(());
        }
        match element {
            Element::LastModificationTime => {
                let at = time_of(&self.text)?;
                self.set_version(|version, _| version.changed_at = at);
            }
            Element::ExpiryTime => {
                let at = time_of(&self.text)?;
                self.set_version(|version, _| version.expiry = at);
            }
            Element::Expires => {
                self.set_version(|version, text| version.expires = text.trim().eq_ignore_ascii_case("true"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end_value(&mut self) -> Result<(), SourceError> {
        let protected = std::mem::take(&mut self.is_protected);
        let value = if protected {
            let mut bytes = Zeroizing::new(BASE64.decode(self.text.trim()).map_err(|_| SourceError::Damaged)?);
            self.stream.apply(&mut bytes)?;
            Value::from(std::str::from_utf8(&bytes).map_err(|_| SourceError::Damaged)?)
        } else {
            Value::from(self.text.as_str())
        };
        self.value = Some((value, protected));
        Ok(())
    }

    /// A file in the document itself. They are numbered from 0, and KeePass writes them in that order.
    fn end_binary(&mut self) -> Result<(), SourceError> {
        let mut bytes = Zeroizing::new(BASE64.decode(self.text.trim()).map_err(|_| SourceError::Damaged)?);
        if std::mem::take(&mut self.is_protected) {
            self.stream.apply(&mut bytes)?;
        }
        // KeePassXC compresses an empty file to nothing at all.
        if std::mem::take(&mut self.is_compressed) && !bytes.is_empty() {
            bytes = expand(&mut GzDecoder::new(bytes.as_slice()), bytes.len() as u64, EXPANDED_BYTES)?;
        }
        self.binary_bytes += bytes.len() as u64;
        let number = self.reference.take().filter(|number| *number < limits::ENTRIES).ok_or(SourceError::Damaged)?;
        if self.binary_bytes > EXPANDED_BYTES {
            return Err(SourceError::TooLarge);
        }
        if self.tree.binaries.len() <= number {
            self.tree.binaries.resize_with(number + 1, || Zeroizing::new(Vec::new()));
        }
        self.tree.binaries[number] = bytes;
        Ok(())
    }

    fn end_string(&mut self) -> Result<(), SourceError> {
        let (value, protected) = self.value.take().unwrap_or((Value::new(String::new()), false));
        let name = std::mem::take(&mut self.key);
        let version = self.versions.last_mut().ok_or(SourceError::Damaged)?;
        if version.strings.len() >= PARTS {
            return Err(SourceError::TooMany);
        }
        version.strings.push(StringNode { name, value, protected });
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), SourceError> {
        let file = (std::mem::take(&mut self.key), self.reference.take());
        let version = self.versions.last_mut().ok_or(SourceError::Damaged)?;
        if version.files.len() >= PARTS {
            return Err(SourceError::TooMany);
        }
        version.files.push(file);
        Ok(())
    }

    fn end_version(&mut self) {
        let Some(mut version) = self.versions.pop() else { return };
        version.expires_at = version.expiry.filter(|_| version.expires);
        if let Some(entry) = self.versions.last_mut() {
            entry.history.push_back(version);
            if entry.history.len() > limits::VERSIONS {
                entry.history.pop_front();
                entry.older += 1;
            }
            return;
        }
        let (history, older) = (std::mem::take(&mut version.history), version.older);
        let group = self.groups.last().cloned().unwrap_or_default();
        self.tree.entries.push(EntryNode { group, now: version, history, older });
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, SourceError> {
    let found = tag.try_get_attribute(name).map_err(|_| SourceError::Damaged)?;
    Ok(found.map(|found| found.value.into_owned()))
}

fn is_set(tag: &BytesStart<'_>, name: &str) -> Result<bool, SourceError> {
    Ok(attribute(tag, name)?.is_some_and(|flag| flag.eq_ignore_ascii_case("true")))
}

/// A time as KDBX 4 writes it, eight bytes in base64, or as its forebears did, RFC 3339. Out of range is none.
fn time_of(text: &str) -> Result<Option<Timestamp>, SourceError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(at) = text.parse() {
        return Ok(Some(at));
    }
    let bytes = BASE64.decode(text).map_err(|_| SourceError::Damaged)?;
    let seconds = i64::from_le_bytes(bytes.as_slice().try_into().map_err(|_| SourceError::Damaged)?);
    let millis = seconds.checked_sub(EPOCH_SECONDS).and_then(|seconds| seconds.checked_mul(1000));
    Ok(millis.and_then(|millis| Timestamp::from_unix_millis(millis).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(xml: &str) -> Result<Tree, SourceError> {
        parse(xml, ProtectedStream::new(b"key"))
    }

    #[test]
    fn groups_nested_beyond_reason_are_refused() {
        let deep = "<Group>".repeat(1_000_000);
        assert!(matches!(read(&deep), Err(SourceError::TooMany)));
    }

    #[test]
    fn versions_beyond_reason_are_refused() {
        let history = "<Entry></Entry>".repeat(VERSIONS);
        let xml = format!("<Root><Group><Entry><History>{history}</History></Entry></Group></Root>");
        assert!(matches!(read(&xml), Err(SourceError::TooMany)));
    }

    #[test]
    fn entities_other_than_those_of_xml_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"y\">]><Root>&x;</Root>";
        assert!(matches!(read(bomb), Err(SourceError::Damaged)));
        assert!(matches!(read("<Root>&x;</Root>"), Err(SourceError::Damaged)));
    }

    #[test]
    fn text_is_taken_as_xml_means_it() {
        let tree = read(
            "<Root><Group><Name>A</Name><Entry><String><Key>Title</Key><Value>a &lt;b&gt; &#65;&amp;<![CDATA[<c>]]>\r\nd</Value>\
             </String></Entry></Group></Root>",
        )
        .unwrap();
        assert_eq!(tree.entries[0].now.strings[0].value.expose(), "a <b> A&<c>\nd");
    }

    #[test]
    fn times_of_both_kinds_are_read() {
        let at = "2024-03-01T10:00:00Z".parse::<Timestamp>().unwrap();
        let seconds = at.unix_millis() / 1000 + EPOCH_SECONDS;
        assert_eq!(time_of(&BASE64.encode(seconds.to_le_bytes())).unwrap(), Some(at));
        assert_eq!(time_of("2024-03-01T10:00:00Z").unwrap(), Some(at));
        assert_eq!(time_of(&BASE64.encode(i64::MIN.to_le_bytes())).unwrap(), None);
        assert!(time_of("soon").is_err());
    }

    #[test]
    fn every_protected_value_moves_the_stream_on_wherever_it_stands() {
        let (mut first, mut second) = (b"first".to_vec(), b"second".to_vec());
        let mut stream = ProtectedStream::new(b"key");
        stream.apply(&mut first).unwrap();
        stream.apply(&mut second).unwrap();
        let xml = format!(
            "<R><Elsewhere><Value Protected=\"True\">{}</Value></Elsewhere><Root><Group><Entry><String><Key>Password</Key>\
             <Value Protected=\"True\">{}</Value></String></Entry></Group></Root></R>",
            BASE64.encode(first),
            BASE64.encode(second)
        );
        assert_eq!(read(&xml).unwrap().entries[0].now.strings[0].value.expose(), "second");
    }
}
