//! `coffer record move`: records into another tenant, after a look at what that would cut.

use std::fmt::Write as _;

use coffer_core::view::{MoveCut, MovePreview, MoveReport};
use coffer_core::{MoveRequest, Session};

use super::find_tenant;
use crate::args::MoveArgs;
use crate::error::CliError;
use crate::job;
use crate::prompt;
use crate::render::{Output, counted, size, visible};

pub fn run(session: &Session, args: &MoveArgs, output: &Output) -> Result<(), CliError> {
    let (from, to) = (find_tenant(session, &args.tenant)?, find_tenant(session, &args.to)?);
    let mut request = MoveRequest {
        from: from.id,
        records: args.ids.clone(),
        to: to.id,
        copy: args.copy,
        confirmation: args.confirm.clone().unwrap_or_default(),
    };
    if args.dry_run {
        output.answer(&session.inspect_move(&request)?, preview_text)?;
        return Ok(());
    }
    if args.confirm.is_none() && prompt::is_possible() {
        let preview = session.inspect_move(&request)?;
        output.note(preview_text(&preview));
        request.confirmation =
            prompt::line(&format!("Type the name of the tenant that is to have them ({}): ", visible(&to.name)))?;
    }
    let what = if args.copy { "copying" } else { "moving" };
    let report = job::run(what, || session.start_move(&request))?;
    output.answer(&report, report_text)?;
    Ok(())
}

fn preview_text(preview: &MovePreview) -> String {
    let verb = if preview.copy { "would be copied" } else { "would be moved" };
    let mut text = format!(
        "{} {verb} from {} to {}: {}, {}, {}\n",
        counted(preview.records, "record", "records"),
        visible(&preview.from_name),
        visible(&preview.to_name),
        counted(preview.versions, "version", "versions"),
        counted(preview.attachments, "file", "files"),
        size(preview.bytes)
    );
    push_details(&mut text, preview);
    text.trim_end().to_owned()
}

fn report_text(report: &MoveReport) -> String {
    let what = &report.what;
    let (from, to) = (visible(&what.from_name), visible(&what.to_name));
    let mut text = format!("{} of {from} ", counted(what.records, "record", "records"));
    let _ = if what.copy {
        writeln!(text, "copied to {to}")
    } else {
        writeln!(text, "moved to {to}; what was here is in the trash of {from}")
    };
    push_details(&mut text, what);
    text.trim_end().to_owned()
}

/// What is there already, what stays behind, what is cut.
fn push_details(text: &mut String, what: &MovePreview) {
    if what.present > 0 {
        let _ = writeln!(text, "  {} of them there already, by an earlier copy", what.present);
    }
    if what.favourites + what.drafts > 0 {
        let _ = writeln!(
            text,
            "  staying behind: {}, {} of yours",
            counted(what.favourites, "favourite", "favourites"),
            counted(what.drafts, "draft", "drafts")
        );
    }
    for cut in &what.cut {
        let _ = writeln!(text, "  {}", cut_text(cut));
    }
    let more = what.cut_counted - what.cut.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "  {more} more references cut");
    }
}

fn cut_text(cut: &MoveCut) -> String {
    let held = cut.refers_to_title.as_deref().map_or_else(|| cut.refers_to.to_string(), visible);
    let earlier = if cut.earlier { " in earlier versions" } else { "" };
    format!("reference cut{earlier}: {} → {} → {held}", visible(&cut.title), visible(&cut.field_name))
}
