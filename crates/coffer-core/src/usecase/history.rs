//! A record's versions and what is different in each; secrets are named, never shown. An earlier version made the newest.

use coffer_model::event::Event;
use coffer_model::id::RecordId;
use coffer_model::record::{Field, RecordContent};

use super::SaveRecordError;
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::Session;
use crate::store::tenant::{StoredAttachment, StoredVersion};
use crate::view::{ChangeKind, ChangeView, RecordView, VersionView};

/// Most characters of a text shown before and after; what follows is left off. It bounds the history of a record whose
/// notes are long and often changed.
const TEXT_CHARS: usize = 4_000;

impl Session {
    /// All versions of a record, newest first, each with what is different from the one before.
    pub fn record_history(&self, id: RecordId) -> Result<Vec<VersionView>, CallError> {
        let actor = self.authorize(Action::OpenRecord, Some(id.tenant()))?;
        let open = self.open_tenant(&actor, id.tenant())?;
        // That the record exists is asked first, since only then there is an entry that names it.
        self.core.stored_version(&actor, &open, id, None)?;
        self.record(&actor, Event::RecordHistoryOpened(id))?;
        let mut views: Vec<VersionView> = Vec::new();
        let mut authors = Vec::new();
        let mut newer: Option<RecordContent> = None;
        open.read(|store| {
            store.history(id.key(), |stored| {
                let StoredVersion { version, content, changed_at, changed_by, made_at, .. } = stored;
                if let (Some(newer), Some(view)) = (&newer, views.last_mut()) {
                    view.changes = differences(&content, newer);
                }
                views.push(VersionView {
                    version,
                    changed_at,
                    changed_by: String::new(),
                    made_at,
                    changes: Vec::new(),
                });
                authors.push(changed_by);
                newer = Some(content);
            })
        })?;
        for attachment in open.read(|store| store.attachment_history(id.key()))? {
            attachment_changes(&mut views, &attachment);
        }
        // Not inside: the reader is never held while the directory is asked.
        for (view, author) in views.iter_mut().zip(authors) {
            view.changed_by = self.core.login_of(author);
        }
        Ok(views)
    }

    /// Makes what a record held at an earlier version its newest, if `expected_version` is the newest now. Nothing is taken
    /// back: the versions in between stay.
    pub fn restore_version(
        &self,
        id: RecordId,
        version: u32,
        expected_version: u32,
    ) -> Result<RecordView, SaveRecordError> {
        let actor = self.authorize(Action::ChangeRecord, Some(id.tenant()))?;
        let open = self.open_tenant(&actor, id.tenant())?;
        let newest = self.core.stored_version(&actor, &open, id, None)?;
        if newest.trashed_at.is_some() {
            return Err(SaveRecordError::Trashed);
        }
        if newest.version != expected_version {
            return Err(SaveRecordError::VersionConflict);
        }
        let earlier = self.core.stored_version(&actor, &open, id, Some(version))?;
        let content = earlier.content.restored_over(&newest.content);
        let event = Event::RecordVersionRestored { record: id, version };
        self.audited(&actor, &open, event, |tx| {
            tx.update_record(id.key(), expected_version, &content).map_err(SaveRecordError::from)
        })?;
        self.core.saved_view(id, &open)
    }
}

/// Tells the versions in which an attachment came and went. A record begins without any.
fn attachment_changes(views: &mut [VersionView], attachment: &StoredAttachment) {
    let name = attachment.name.to_string();
    let came = (Some(attachment.attached), ChangeKind::Added, None, Some(name.clone()));
    let went = (attachment.detached, ChangeKind::Removed, Some(name), None);
    for (version, how, before, after) in [came, went] {
        if let Some(view) = views.iter_mut().find(|view| Some(view.version) == version) {
            view.changes.push(ChangeView { what: "attachments".to_owned(), how, before, after });
        }
    }
}

/// What is different in `after`.
fn differences(before: &RecordContent, after: &RecordContent) -> Vec<ChangeView> {
    let mut changes = Vec::new();
    let mut text = |what: &str, before: &str, after: &str| {
        let shown = |text: &str| (!text.is_empty()).then(|| cut(text));
        changes.extend(change(what, shown(before), shown(after), before != after));
    };
    text("title", before.title(), after.title());
    text("kind", before.kind().as_str(), after.kind().as_str());
    text("tags", &before.tags().join(", "), &after.tags().join(", "));
    text("notes", before.notes(), after.notes());
    for field in before.fields() {
        match after.field(field.id) {
            // A field under another name reads as one that went and one that came.
            Some(now) if now.name == field.name => changes.extend(field_change(field, now)),
            _ => changes.push(ChangeView {
                what: field.name.clone(),
                how: ChangeKind::Removed,
                before: shown(field),
                after: None,
            }),
        }
    }
    for field in after.fields() {
        if before.field(field.id).is_none_or(|earlier| earlier.name != field.name) {
            changes.push(ChangeView {
                what: field.name.clone(),
                how: ChangeKind::Added,
                before: None,
                after: shown(field),
            });
        }
    }
    changes
}

fn change(what: &str, before: Option<String>, after: Option<String>, differs: bool) -> Option<ChangeView> {
    let how = match (&before, &after) {
        _ if !differs => return None,
        (None, _) => ChangeKind::Added,
        (_, None) => ChangeKind::Removed,
        (Some(_), Some(_)) => ChangeKind::Changed,
    };
    Some(ChangeView { what: what.to_owned(), how, before, after })
}

fn field_change(before: &Field, after: &Field) -> Option<ChangeView> {
    let differs = before.value != after.value || before.field_type != after.field_type;
    // What was or became a secret is one on both sides: its value may have been the same.
    let secret = before.field_type.is_masked() || after.field_type.is_masked();
    differs.then(|| ChangeView {
        what: after.name.clone(),
        how: ChangeKind::Changed,
        before: if secret { None } else { shown(before) },
        after: if secret { None } else { shown(after) },
    })
}

/// A field's value as the history shows it.
fn shown(field: &Field) -> Option<String> {
    (!field.field_type.is_masked()).then(|| cut(field.value.expose()))
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use coffer_model::record::{FieldDraft, FieldId, FieldType, RecordDraft};

    use super::*;

    fn draft(title: &str, fields: &[(Option<u16>, &str, FieldType, Option<&str>)]) -> RecordDraft {
        let field = |&(id, name, field_type, value): &(Option<u16>, &str, FieldType, Option<&str>)| FieldDraft {
            id: id.map(FieldId),
            name: name.to_owned(),
            field_type,
            value: value.map(Into::into),
        };
        RecordDraft {
            kind: "login".parse().unwrap(),
            title: title.to_owned(),
            fields: fields.iter().map(field).collect(),
            tags: vec![],
            notes: String::new(),
        }
    }

    fn versions(first: RecordDraft, second: RecordDraft) -> Vec<(String, ChangeKind, Option<String>, Option<String>)> {
        let before = RecordContent::parse(first, None).unwrap();
        let after = RecordContent::parse(second, Some(&before)).unwrap();
        let changes = differences(&before, &after);
        changes.into_iter().map(|change| (change.what, change.how, change.before, change.after)).collect()
    }

    #[test]
    fn a_version_without_changes_shows_none() {
        let same = [(Some(1), "PIN", FieldType::Secret, None)];
        let first = draft("a", &[(None, "PIN", FieldType::Secret, Some("1"))]);
        assert_eq!(versions(first, draft("a", &same)), []);
    }

    #[test]
    fn each_kind_of_change_is_told() {
        let first =
            draft("a", &[(None, "Host", FieldType::Text, Some("x")), (None, "Old", FieldType::Text, Some("gone"))]);
        let mut second =
            draft("b", &[(Some(1), "Host", FieldType::Text, Some("y")), (None, "New", FieldType::Text, Some("come"))]);
        second.tags = vec!["db".to_owned(), "eu".to_owned()];
        assert_eq!(
            versions(first, second),
            [
                ("title".to_owned(), ChangeKind::Changed, Some("a".to_owned()), Some("b".to_owned())),
                ("tags".to_owned(), ChangeKind::Added, None, Some("db, eu".to_owned())),
                ("Host".to_owned(), ChangeKind::Changed, Some("x".to_owned()), Some("y".to_owned())),
                ("Old".to_owned(), ChangeKind::Removed, Some("gone".to_owned()), None),
                ("New".to_owned(), ChangeKind::Added, None, Some("come".to_owned())),
            ]
        );
    }

    #[test]
    fn a_renamed_field_goes_and_comes() {
        let first = draft("a", &[(None, "Host", FieldType::Text, Some("x"))]);
        let second = draft("a", &[(Some(1), "Server", FieldType::Text, None)]);
        assert_eq!(
            versions(first, second),
            [
                ("Host".to_owned(), ChangeKind::Removed, Some("x".to_owned()), None),
                ("Server".to_owned(), ChangeKind::Added, None, Some("x".to_owned())),
            ]
        );
    }

    #[test]
    fn no_secret_is_shown_whatever_becomes_of_it() {
        let secret = |id, name, value| (id, name, FieldType::Secret, value);
        let plain = |id, name, value| (id, name, FieldType::Text, value);
        for second in [
            vec![secret(Some(1), "PIN", Some("canary-2"))],
            vec![secret(Some(1), "Code", None)],
            vec![],
            vec![secret(Some(1), "PIN", None), secret(None, "More", Some("canary-3"))],
            vec![secret(Some(1), "PIN", Some(""))],
            // Masked no longer: the new value is visible from now on, the one before was a secret.
            vec![plain(Some(1), "PIN", Some("none"))],
        ] {
            let first = draft("a", &[secret(None, "PIN", Some("canary-1"))]);
            let changes = versions(first, draft("a", &second));
            assert!(!format!("{changes:?}").contains("canary"), "{changes:?}");
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let long = "ä".repeat(TEXT_CHARS + 1);
        let first = draft("a", &[(None, "Text", FieldType::Text, Some("x"))]);
        let second = draft("a", &[(Some(1), "Text", FieldType::Text, Some(&long))]);
        let shown = versions(first, second).remove(0).3.unwrap();
        assert_eq!(shown.chars().count(), TEXT_CHARS);
    }
}
