//! `coffer search`: finding records, and the searches an account keeps.

use coffer_core::view::{SavedSearchView, SearchResults};
use coffer_core::{CallError, Session};
use coffer_model::id::TenantId;
use coffer_model::query::Query;
use serde::Serialize;

use super::find_tenant;
use crate::args::{SavedSearchCommand, SearchArgs};
use crate::error::CliError;
use crate::render::{Output, table};

/// What became of a kept search.
#[derive(Serialize)]
struct Changed<'n> {
    name: &'n str,
}

pub fn run(session: &Session, args: &SearchArgs, output: &Output) -> Result<(), CliError> {
    if let Some(command) = &args.command {
        return run_saved(session, command, output);
    }
    let tenant = tenant_named(session, args.tenant.as_deref())?;
    let text = match &args.saved {
        Some(name) => saved_query(session, name, tenant)?,
        None => args.query.join(" "),
    };
    let query: Query = text.parse()?;
    if let Some(name) = &args.save {
        session.save_search(name, tenant, &text)?;
    }
    output.answer(&session.search(&query, tenant, args.limit)?, results_text)?;
    Ok(())
}

fn run_saved(session: &Session, command: &SavedSearchCommand, output: &Output) -> Result<(), CliError> {
    match command {
        SavedSearchCommand::ListSaved => output.answer(&session.saved_searches()?, |searches| saved_text(searches))?,
        SavedSearchCommand::RenameSaved { name, new, tenant } => {
            session.rename_search(name, tenant_named(session, tenant.as_deref())?, new)?;
            output.answer(&Changed { name: new.trim() }, |_| "renamed".to_owned())?;
        }
        SavedSearchCommand::RemoveSaved { name, tenant } => {
            session.remove_search(name, tenant_named(session, tenant.as_deref())?)?;
            output.answer(&Changed { name: name.trim() }, |_| "removed".to_owned())?;
        }
    }
    Ok(())
}

fn tenant_named(session: &Session, named: Option<&str>) -> Result<Option<TenantId>, CliError> {
    named.map(|named| find_tenant(session, named).map(|tenant| tenant.id)).transpose()
}

/// What a kept search looks for.
fn saved_query(session: &Session, name: &str, tenant: Option<TenantId>) -> Result<String, CliError> {
    let wanted = name.trim().to_lowercase();
    let mut searches = session.saved_searches()?.into_iter();
    let found = searches.find(|saved| saved.tenant == tenant && saved.name.to_lowercase() == wanted);
    Ok(found.ok_or(CallError::NotFound)?.query)
}

fn results_text(results: &SearchResults) -> String {
    if results.hits.is_empty() {
        return "nothing found".to_owned();
    }
    let rows = results.hits.iter().map(|hit| {
        let record = &hit.record;
        vec![hit.tenant_name.clone(), record.title.clone(), record.kind.as_str().to_owned(), record.id.to_string()]
    });
    let mut text = table(&["TENANT", "TITLE", "KIND", "ID"], rows);
    if results.more {
        text.push_str("\nthere are more; add a word or raise --limit\n");
    }
    text
}

fn saved_text(searches: &[SavedSearchView]) -> String {
    if searches.is_empty() {
        return "no search kept yet; keep one with `search QUERY --save NAME`".to_owned();
    }
    let rows = searches.iter().map(|saved| {
        let tenant = saved.tenant_name.clone().unwrap_or_else(|| "every tenant".to_owned());
        vec![saved.name.clone(), tenant, saved.query.clone()]
    });
    table(&["NAME", "TENANT", "QUERY"], rows)
}
