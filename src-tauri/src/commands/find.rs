//! Finding: search, tags, saved searches.

use coffer_core::view::{SavedSearchView, SearchResults, TagView};
use coffer_model::id::TenantId;
use coffer_model::query::Query;
use serde::Deserialize;

use super::Held;
use super::args::Args;
use super::requests::Nothing;
use crate::refusal::Refusal;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    query: String,
    tenant: Option<TenantId>,
    limit: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneTenant {
    tenant: TenantId,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagRename {
    tenant: TenantId,
    tag: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneTag {
    tenant: TenantId,
    tag: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchSave {
    name: String,
    tenant: Option<TenantId>,
    query: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchRename {
    name: String,
    tenant: Option<TenantId>,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneSearch {
    name: String,
    tenant: Option<TenantId>,
}

/// Records that are as the query says, in one tenant or in every one. It may be one that is still being typed.
#[tauri::command(async)]
pub(super) fn search(shell: Held<'_>, args: Args<Search>) -> Result<SearchResults, Refusal> {
    let Search { query, tenant, limit } = args.0;
    shell.with(|session| session.search(&Query::parse_unfinished(&query), tenant, limit))
}

/// A tenant's tags.
#[tauri::command(async)]
pub(super) fn tags_list(shell: Held<'_>, args: Args<OneTenant>) -> Result<Vec<TagView>, Refusal> {
    shell.with(|session| session.tags(args.0.tenant))
}

/// Makes a tag another one wherever it is; gives on how many records.
#[tauri::command(async)]
pub(super) fn tag_rename(shell: Held<'_>, args: Args<TagRename>) -> Result<u64, Refusal> {
    let TagRename { tenant, tag, name } = args.0;
    shell.with(|session| session.rename_tag(tenant, &tag, &name))
}

/// Takes a tag away wherever it is; gives from how many records.
#[tauri::command(async)]
pub(super) fn tag_remove(shell: Held<'_>, args: Args<OneTag>) -> Result<u64, Refusal> {
    shell.with(|session| session.remove_tag(args.0.tenant, &args.0.tag))
}

/// The searches this account has saved.
#[tauri::command(async)]
pub(super) fn searches_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<SavedSearchView>, Refusal> {
    shell.with(|session| session.saved_searches())
}

/// Saves a search.
#[tauri::command(async)]
pub(super) fn search_save(shell: Held<'_>, args: Args<SearchSave>) -> Result<(), Refusal> {
    let SearchSave { name, tenant, query } = args.0;
    shell.with(|session| session.save_search(&name, tenant, &query))
}

/// Gives a saved search another name.
#[tauri::command(async)]
pub(super) fn search_rename(shell: Held<'_>, args: Args<SearchRename>) -> Result<(), Refusal> {
    let SearchRename { name, tenant, to } = args.0;
    shell.with(|session| session.rename_search(&name, tenant, &to))
}

/// Removes a saved search.
#[tauri::command(async)]
pub(super) fn search_remove(shell: Held<'_>, args: Args<OneSearch>) -> Result<(), Refusal> {
    shell.with(|session| session.remove_search(&args.0.name, args.0.tenant))
}
