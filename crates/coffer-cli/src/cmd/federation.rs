//! `coffer account provider|federate`: the identity provider, and the accounts that need its tokens.

use coffer_core::view::{AccountView, ProviderView};
use coffer_core::{ProviderRequest, Session};
use serde_json::json;

use super::{find_account, fresh_to_federate};
use crate::args::{FederateArgs, Global, ProviderArgs, ProviderCommand};
use crate::error::CliError;
use crate::prompt;
use crate::render::{Output, visible};

/// Days of a lease where none are named.
const DAYS: u32 = 7;
/// The claim that names the person where none is named (RFC 7519 §4.1.2).
const CLAIM: &str = "sub";

pub fn provider(
    session: &Session,
    global: &Global,
    command: &ProviderCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        ProviderCommand::Set(args) => pin(session, global, args)?,
        ProviderCommand::Show => {}
        ProviderCommand::Remove => {
            session.unpin_provider(fresh_to_federate(session, global, None)?)?;
            return Ok(output.answer(&json!({ "provider": null }), |_| "no identity provider is pinned".to_owned())?);
        }
    }
    let provider = session.provider()?;
    Ok(output.answer(&json!({ "provider": &provider }), |_| {
        provider.as_ref().map_or_else(|| "no identity provider is pinned".to_owned(), text)
    })?)
}

fn pin(session: &Session, global: &Global, args: &ProviderArgs) -> Result<(), CliError> {
    let before = session.provider()?;
    let before = before.as_ref();
    let missing = |option: &str| CliError::Usage(format!("a provider is pinned with {option}"));
    let key_set = args.key_set.as_deref().map(prompt::key_set).transpose()?;
    let request = ProviderRequest {
        issuer: args
            .issuer
            .as_deref()
            .or(before.map(|pinned| pinned.issuer.as_str()))
            .ok_or_else(|| missing("--issuer"))?,
        audience: args
            .audience
            .as_deref()
            .or(before.map(|pinned| pinned.audience.as_str()))
            .ok_or_else(|| missing("--audience"))?,
        claim: args.claim.as_deref().or(before.map(|pinned| pinned.claim.as_str())).unwrap_or(CLAIM),
        days: args.days.or(before.map(|pinned| pinned.days)).unwrap_or(DAYS),
        key_set: key_set.as_deref(),
    };
    Ok(session.pin_provider(&request, fresh_to_federate(session, global, None)?)?)
}

/// Marks an account, or takes its mark away.
pub fn mark(session: &Session, global: &Global, args: &FederateArgs, output: &Output) -> Result<(), CliError> {
    let account = find_account(session, &args.name)?;
    let proof = fresh_to_federate(session, global, Some(account.id))?;
    session.federate(account.id, args.subject.as_deref(), proof)?;
    let text = |account: &AccountView| match &account.subject {
        Some(subject) => format!("{} needs a fresh token of {} from now on", account.login, visible(subject)),
        None => format!("{} needs no token any more", account.login),
    };
    Ok(output.answer(&find_account(session, &args.name)?, text)?)
}

fn text(provider: &ProviderView) -> String {
    let keys = provider.keys.iter().map(|key| match &key.kid {
        Some(kid) => format!("{} ({})", visible(kid), key.kind),
        None => key.kind.clone(),
    });
    format!(
        "issuer           {}\n\
         audience         {}\n\
         person by        {}\n\
         days of a lease  {}\n\
         keys             {}\n\
         SHA-256 of them  {}\n\
         accounts marked  {}\n\
         may encrypt to   {}",
        visible(&provider.issuer),
        visible(&provider.audience),
        visible(&provider.claim),
        provider.days,
        keys.collect::<Vec<_>>().join(", "),
        provider.key_set_sha256,
        provider.accounts,
        provider.encryption_key,
    )
}
