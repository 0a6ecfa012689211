//! `coffer tenant`: the organisations whose data a vault holds.

use coffer_core::Session;
use coffer_core::view::TagView;
use coffer_model::tenant::TenantName;
use serde::Serialize;

use super::find_tenant;
use crate::args::TenantCommand;
use crate::error::CliError;
use crate::render::{Output, table, visible};

/// How many records a tag was changed on.
#[derive(Serialize)]
struct Changed {
    records: u64,
}

pub fn run(session: &Session, command: &TenantCommand, output: &Output) -> Result<(), CliError> {
    match command {
        TenantCommand::Create { name } => {
            let name: TenantName = name.parse()?;
            let tenant = session.create_tenant(&name)?;
            output.answer(&tenant, |tenant| format!("created the tenant {} ({})", visible(&tenant.name), tenant.id))?;
        }
        TenantCommand::List => {
            let tenants = session.tenants()?;
            output.answer(&tenants, |tenants| {
                if tenants.is_empty() {
                    return "no tenant yet; create one with `tenant create NAME`".to_owned();
                }
                table(
                    &["NAME", "RIGHT", "CREATED", "ID"],
                    tenants.iter().map(|tenant| {
                        let right = match tenant.right {
                            coffer_model::grant::Right::Reader => "reader",
                            coffer_model::grant::Right::Editor => "editor",
                            coffer_model::grant::Right::Steward => "steward",
                        };
                        vec![
                            tenant.name.clone(),
                            right.to_owned(),
                            tenant.created_at.to_string(),
                            tenant.id.to_string(),
                        ]
                    }),
                )
            })?;
        }
        TenantCommand::Tags { tenant } => {
            output.answer(&session.tags(find_tenant(session, tenant)?.id)?, |tags| tags_text(tags))?;
        }
        TenantCommand::RenameTag { tenant, tag, new } => {
            let records = session.rename_tag(find_tenant(session, tenant)?.id, tag, new)?;
            output.answer(&Changed { records }, |_| format!("renamed on {records} records"))?;
        }
        TenantCommand::RemoveTag { tenant, tag } => {
            let records = session.remove_tag(find_tenant(session, tenant)?.id, tag)?;
            output.answer(&Changed { records }, |_| format!("removed from {records} records"))?;
        }
    }
    Ok(())
}

fn tags_text(tags: &[TagView]) -> String {
    if tags.is_empty() {
        return "no tags".to_owned();
    }
    table(&["TAG", "RECORDS"], tags.iter().map(|tag| vec![tag.tag.clone(), tag.records.to_string()]))
}
