//! `coffer tenant`: the organisations whose data a vault holds.

use coffer_core::Session;
use coffer_model::tenant::TenantName;

use crate::args::TenantCommand;
use crate::error::CliError;
use crate::render::{Output, table, visible};

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
    }
    Ok(())
}
