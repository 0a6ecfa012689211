//! `coffer tenant`: the organisations whose data a vault holds.

use coffer_core::view::{TagView, TwinReport};
use coffer_core::{Session, TwinRequest};
use coffer_model::tenant::TenantName;
use serde::Serialize;

use super::find_tenant;
use crate::args::TenantCommand;
use crate::error::CliError;
use crate::job;
use crate::render::{Output, counted, table, visible};

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
            let all_invented = session.view().vault.demo;
            output.answer(&tenants, |tenants| {
                if tenants.is_empty() {
                    return "no tenant yet; create one with `tenant create NAME`".to_owned();
                }
                table(
                    &["NAME", "RIGHT", "CREATED", "ID", "DATA"],
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
                            if tenant.demo || all_invented { "invented" } else { "" }.to_owned(),
                        ]
                    }),
                )
            })?;
        }
        TenantCommand::Twin { source, name, seed } => {
            let source = find_tenant(session, source)?.id;
            let request = TwinRequest { source, name: name.parse()?, seed: *seed };
            let report = job::run("inventing", || session.start_twin(request))?;
            output.answer(&report, twin_text)?;
        }
        TenantCommand::Tags { tenant } => {
            output.answer(&session.tags(find_tenant(session, tenant)?.id)?, |tags| tags_text(tags))?;
        }
        TenantCommand::RenameTag { tenant, tag, new } => {
            let records = session.rename_tag(find_tenant(session, tenant)?.id, tag, new)?;
            output.answer(&Changed { records }, |_| format!("renamed on {}", counted(records, "record", "records")))?;
        }
        TenantCommand::RemoveTag { tenant, tag } => {
            let records = session.remove_tag(find_tenant(session, tenant)?.id, tag)?;
            output
                .answer(&Changed { records }, |_| format!("removed from {}", counted(records, "record", "records")))?;
        }
    }
    Ok(())
}

fn twin_text(report: &TwinReport) -> String {
    let TwinReport { tenant, seed, records, versions, attachments } = report;
    format!(
        "created the tenant {} ({}), marked as invented data\n{} in {} with {}, invented by the seed {seed}",
        visible(&tenant.name),
        tenant.id,
        counted(*records, "record", "records"),
        counted(*versions, "version", "versions"),
        counted(*attachments, "file", "files")
    )
}

fn tags_text(tags: &[TagView]) -> String {
    if tags.is_empty() {
        return "no tags".to_owned();
    }
    table(&["TAG", "RECORDS"], tags.iter().map(|tag| vec![tag.tag.clone(), tag.records.to_string()]))
}
