//! `coffer record`: the trash, earlier versions, favourites, and steps over many records.

use coffer_core::view::{BulkView, RecordPage, TrashPage};
use coffer_core::{ListRequest, Session, TagChange};
use coffer_model::id::TenantId;

use super::{find_tenant, moves};
use crate::args::{LifeCommand, ListArgs};
use crate::error::CliError;
use crate::render::{Output, counted, table, visible};

pub fn run(session: &Session, command: &LifeCommand, output: &Output) -> Result<(), CliError> {
    match command {
        LifeCommand::Trash { ids } => {
            output.answer(&session.trash_records(ids)?, |done| format!("moved {} to the trash", records(*done)))?;
        }
        LifeCommand::Restore { ids } => {
            output.answer(&session.restore_records(ids)?, |done| format!("restored {}", records(*done)))?;
        }
        LifeCommand::Purge { ids } => {
            output.answer(&session.purge_records(ids)?, |done| format!("purged {}", records(*done)))?;
        }
        LifeCommand::EmptyTrash { tenant } => {
            let tenant = find_tenant(session, tenant)?;
            output.answer(&session.empty_trash(tenant.id)?, |done| format!("purged {}", records(*done)))?;
        }
        LifeCommand::RestoreVersion { id, number, version } => {
            let newest = match version {
                Some(version) => *version,
                None => session.open_record(*id)?.version,
            };
            let record = session.restore_version(*id, *number, newest)?;
            output.answer(&record, |record| {
                format!("{} is as it was at version {number} (version {})", visible(&record.title), record.version)
            })?;
        }
        LifeCommand::Favourite { id, mark } => {
            let marked = session.set_favourite(*id, mark.is_set())?;
            output.answer(&marked, |marked| {
                if marked.favourite { "marked as a favourite".to_owned() } else { "no favourite any more".to_owned() }
            })?;
        }
        LifeCommand::Tag { ids, add, remove } => {
            let done = session.tag_records(ids, &TagChange { add: add.clone(), remove: remove.clone() })?;
            output.answer(&done, |done| {
                let changed = u64::try_from(done.changed.len()).expect("a thousand at most");
                format!("changed the tags of {}", records(BulkView { records: changed }))
            })?;
        }
        LifeCommand::Move(args) => moves::run(session, args, output)?,
    }
    Ok(())
}

/// Answers with a page of the list, or of the trash.
pub fn list(
    session: &Session,
    tenant: TenantId,
    (limit, after, skip): (u32, Option<&str>, u64),
    which: &ListArgs,
    output: &Output,
    page_text: impl FnOnce(&RecordPage) -> String,
) -> Result<(), CliError> {
    if which.trash {
        output.answer(&session.list_trash(tenant, limit, after, skip)?, trash_text)?;
    } else {
        let (order, favourites, detail) = (which.sort, which.favourites, which.detail);
        let request = ListRequest { order, favourites, limit, after, skip, detail };
        output.answer(&session.list_records_by(tenant, &request)?, page_text)?;
    }
    Ok(())
}

fn records(done: BulkView) -> String {
    counted(done.records, "record", "records")
}

fn trash_text(page: &TrashPage) -> String {
    if page.records.is_empty() {
        return "the trash is empty".to_owned();
    }
    let rows = page.records.iter().map(|row| {
        vec![
            row.record.title.clone(),
            row.record.kind.as_str().to_owned(),
            row.trashed_at.to_string(),
            row.kept_until.to_string(),
            row.record.id.to_string(),
        ]
    });
    let mut text = table(&["TITLE", "KIND", "TRASHED", "KEPT UNTIL", "ID"], rows);
    super::record::push_more(&mut text, page.records.len(), page.total, page.next.as_deref());
    text
}
