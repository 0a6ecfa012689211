//! `coffer search`.

use coffer_core::Session;

use super::find_tenant;
use crate::args::SearchArgs;
use crate::error::CliError;
use crate::render::{Output, table};

pub fn run(session: &Session, args: &SearchArgs, output: &Output) -> Result<(), CliError> {
    let tenant = args.tenant.as_deref().map(|named| find_tenant(session, named)).transpose()?;
    let results = session.search(&args.query.join(" "), tenant.map(|tenant| tenant.id), args.limit)?;
    output.answer(&results, |results| {
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
    })?;
    Ok(())
}
