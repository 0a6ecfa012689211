//! Tenants, records, fields.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use coffer_core::ListRequest;
use coffer_core::view::{RecordPage, RecordView, TenantView, VersionView};
use coffer_model::record::FieldType;
use coffer_model::tenant::TenantName;
use tauri::Url;

use super::Held;
use super::args::Args;
use super::requests::{
    Copied, FieldReveal, Nothing, OneField, OneRecord, RecordAdd, RecordChange, RecordsList, TenantCreate,
};
use crate::refusal::Refusal;

/// The tenants this account may read.
#[tauri::command(async)]
pub(super) fn tenants_list(shell: Held<'_>, _args: Args<Nothing>) -> Result<Vec<TenantView>, Refusal> {
    shell.with(|session| session.tenants())
}

/// Creates a tenant.
#[tauri::command(async)]
pub(super) fn tenant_create(shell: Held<'_>, args: Args<TenantCreate>) -> Result<TenantView, Refusal> {
    let name: Result<TenantName, _> = args.0.name.parse();
    shell.with(|session| {
        session.create_tenant(&name.map_err(|_| Refusal { code: "invalid_name" })?).map_err(Refusal::from)
    })
}

/// A page of a tenant's records.
#[tauri::command(async)]
pub(super) fn records_list(shell: Held<'_>, args: Args<RecordsList>) -> Result<RecordPage, Refusal> {
    let RecordsList { tenant, order, favourites, limit, after, skip, detail } = args.0;
    let request = ListRequest { order, favourites, limit, after: after.as_deref(), skip, detail };
    shell.with(|session| session.list_records_by(tenant, &request))
}

/// A record, its secrets masked.
#[tauri::command(async)]
pub(super) fn record_open(shell: Held<'_>, args: Args<OneRecord>) -> Result<RecordView, Refusal> {
    shell.with(|session| session.open_record(args.0.id))
}

/// A record's versions.
#[tauri::command(async)]
pub(super) fn record_history(shell: Held<'_>, args: Args<OneRecord>) -> Result<Vec<VersionView>, Refusal> {
    shell.with(|session| session.record_history(args.0.id))
}

/// Adds a record.
#[tauri::command(async)]
pub(super) fn record_add(shell: Held<'_>, args: Args<RecordAdd>) -> Result<RecordView, Refusal> {
    let RecordAdd { tenant, draft } = args.0;
    let draft = draft.into_draft(&shell.made)?;
    shell.with(|session| session.add_record(tenant, draft))
}

/// Gives a record a new version.
#[tauri::command(async)]
pub(super) fn record_change(shell: Held<'_>, args: Args<RecordChange>) -> Result<RecordView, Refusal> {
    let RecordChange { id, expected_version, draft } = args.0;
    let draft = draft.into_draft(&shell.made)?;
    shell.with(|session| session.change_record(id, expected_version, draft))
}

/// One field's value, logged and on the exposure list.
#[tauri::command(async)]
pub(super) fn field_reveal(shell: Held<'_>, args: Args<FieldReveal>) -> Result<String, Refusal> {
    let FieldReveal { id, field, version } = args.0;
    Ok(shell.with(|session| session.reveal_field(id, field, version))?.expose().to_owned())
}

/// Puts a field on the clipboard. The value does not pass through the web view.
#[tauri::command(async)]
pub(super) fn field_copy(shell: Held<'_>, args: Args<OneField>) -> Result<Copied, Refusal> {
    let OneField { id, field } = args.0;
    let clear_after_seconds = shell.settings().clipboard_seconds;
    shell.with(|session| session.copy_field_for(id, field, Duration::from_secs(clear_after_seconds.into())))?;
    Ok(Copied { clear_after_seconds })
}

/// Opens the address in a field with the system's browser, if it is one of the web.
#[tauri::command(async)]
pub(super) fn url_open(shell: Held<'_>, args: Args<OneField>) -> Result<(), Refusal> {
    let OneField { id, field } = args.0;
    let record = shell.with(|session| session.open_record(id))?;
    // Only what is an address by its type: no secret may end up in another program's arguments.
    let address = record.fields.into_iter().find(|known| known.id == field && known.field_type == FieldType::Url);
    let address = address.and_then(|known| known.value).ok_or(Refusal::UNSAFE_URL)?;
    open_in_browser(&web_address(&address).ok_or(Refusal::UNSAFE_URL)?)
}

/// The text as an address of the web: http or https, with a host, and nothing a shell or a browser takes for something
/// else. WHATWG URL parsing, so what is opened is what was judged.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn open_in_browser(url: &Url) -> Result<(), Refusal> {
    let mut opener = Command::new("xdg-open");
    opener.arg(url.as_str()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = opener.spawn().map_err(|_| Refusal { code: "no_browser" })?;
    // Waited for, so that it leaves no zombie.
    thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_47_only_addresses_of_the_web_are_opened() {
        for refused in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            " javascript:alert(1)",
            "file:///etc/passwd",
            "FILE://localhost/etc/passwd",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "tauri://localhost/index.html",
            "smb://host/share",
            "ssh://host",
            "mailto:a@b.example",
            "--help",
            "/etc/passwd",
            "www.example.org",
            "http://",
            "https:",
            "",
        ] {
            assert!(web_address(refused).is_none(), "{refused:?}");
        }
        for (opened, as_url) in [
            ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
            ("HTTP://Example.org", "http://example.org/"),
            ("https://example.org/$(touch x)`y`", "https://example.org/$(touch%20x)%60y%60"),
        ] {
            assert_eq!(web_address(opened).unwrap().as_str(), as_url);
        }
    }
}
