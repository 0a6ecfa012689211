//! `coffer kind`: kinds of records and their templates.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use coffer_core::Session;
use coffer_core::view::{KindFieldView, KindView};
use coffer_model::template::KindTemplate;

use crate::args::KindCommand;
use crate::error::CliError;
use crate::render::{Output, table, visible};

pub fn run(session: &Session, command: &KindCommand, output: &Output) -> Result<(), CliError> {
    match command {
        KindCommand::List => {
            let kinds = session.kinds()?;
            output.answer(&kinds, |kinds| {
                let rows = kinds.iter().map(|kind| {
                    let fields = kind.fields.iter().map(field_text).collect::<Vec<_>>().join(", ");
                    vec![kind.kind.as_str().to_owned(), kind.name.clone().unwrap_or_default(), fields]
                });
                table(&["KIND", "NAME", "FIELDS"], rows)
            })?;
        }
        KindCommand::Add { file } => {
            let kind = session.set_kind(KindTemplate::parse(&read(file)?)?)?;
            output.answer(&kind, set_text)?;
        }
        KindCommand::Remove { kind } => {
            session.remove_kind(kind)?;
            output
                .answer(&serde_json::json!({ "removed": kind }), |_| format!("removed the kind {}", kind.as_str()))?;
        }
    }
    Ok(())
}

fn set_text(kind: &KindView) -> String {
    format!("the kind {} ({}) is set", kind.kind.as_str(), visible(kind.name.as_deref().unwrap_or_default()))
}

fn field_text(field: &KindFieldView) -> String {
    let name = field.word.map_or_else(|| field.name.clone().unwrap_or_default(), |word| word.name().to_owned());
    format!("{name}:{}", field.field_type.name())
}

/// A template's text, one byte more than it may have at most, so that too long a file is refused as one.
fn read(path: &Path) -> Result<String, CliError> {
    let failed = |reason| CliError::File { path: path.to_owned(), reason };
    let limit = u64::try_from(KindTemplate::MAX_BYTES).expect("64 KiB fit") + 1;
    let mut text = String::new();
    File::open(path).and_then(|file| file.take(limit).read_to_string(&mut text)).map_err(failed)?;
    Ok(text)
}
