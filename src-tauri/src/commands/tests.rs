//! The commands as a web view reaches them, without a window: the real capability file and the real handlers, under
//! Tauri's mock runtime.

use std::sync::Arc;

use serde_json::{Value, json};
use tauri::ipc::{CallbackFn, InvokeBody};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder};
use tauri::webview::InvokeRequest;
use tauri::{App, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use super::{COMMANDS, handler};
use crate::places::Places;
use crate::settings::Settings;
use crate::shell::Shell;
use crate::start::context;

const TENANT: &str = "0123456789abcdefghjkmnpqrs";

/// What may be asked for without a session: the program itself, the ways to get a session, and following a restore.
const BEFORE_A_SESSION: [&str; 11] = [
    "app_state",
    "places",
    "settings_get",
    "settings_set",
    "choose_new_vault_place",
    "create_vault",
    "open_vault",
    "restore_backup_first_run",
    "create_demo_vault",
    "job_progress",
    "job_cancel",
];

fn app() -> App<MockRuntime> {
    let shell = Shell::with_state(coffer_host::system("test"), Settings::default(), Places::default());
    mock_builder().manage(Arc::new(shell)).invoke_handler(handler()).build(context()).unwrap()
}

fn window(app: &App<MockRuntime>, label: &str) -> WebviewWindow<MockRuntime> {
    WebviewWindowBuilder::new(app, label, WebviewUrl::default()).build().unwrap()
}

fn ask_from(window: &WebviewWindow<MockRuntime>, origin: &str, command: &str, body: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: command.to_owned(),
        callback: CallbackFn(0),
        error: CallbackFn(1),
        url: origin.parse().unwrap(),
        body: InvokeBody::Json(body),
        headers: tauri::http::HeaderMap::default(),
        invoke_key: INVOKE_KEY.to_owned(),
    };
    get_ipc_response(window, request).map(|answer| answer.deserialize().unwrap())
}

fn ask(window: &WebviewWindow<MockRuntime>, command: &str, body: Value) -> Result<Value, Value> {
    ask_from(window, "tauri://localhost", command, body)
}

fn code(refusal: &Value) -> &str {
    refusal["code"].as_str().unwrap_or_else(|| panic!("{refusal} has no code"))
}

/// A request each command understands.
fn request(command: &str) -> Value {
    let record = format!("{TENANT}.{TENANT}");
    let draft = json!({"kind": "login", "title": "t", "fields": [], "tags": [], "notes": ""});
    match command {
        "settings_set" => json!({"settings": Settings::default()}),
        "create_vault" => json!({"handle": "h", "login": "ines"}),
        "tenant_create" => json!({"name": "ACME"}),
        "records_list" => {
            json!({
                "tenant": TENANT, "order": "title", "favourites": false, "limit": 10, "after": null, "skip": 0,
                "detail": "none"
            })
        }
        "records_trash" | "records_restore" | "records_purge" => json!({"ids": [record]}),
        "trash_list" => json!({"tenant": TENANT, "limit": 10, "after": null, "skip": 0}),
        "trash_empty" | "drafts_list" => json!({"tenant": TENANT}),
        "records_tag" => json!({"ids": [record], "add": ["a"], "remove": []}),
        "records_tag_undo" => json!({"changed": [{"id": record, "version": 2}]}),
        "record_restore_version" => json!({"id": record, "version": 1, "expectedVersion": 2}),
        "record_favourite" => json!({"id": record, "on": true}),
        "draft_keep" => json!({"tenant": TENANT, "record": record, "version": 1, "draft": draft}),
        "draft_open" | "draft_discard" => json!({"tenant": TENANT, "record": null}),
        "record_open" | "record_history" | "attachment_add_start" => json!({"id": record}),
        "record_add" => json!({"tenant": TENANT, "draft": draft}),
        "record_change" => json!({"id": record, "expectedVersion": 1, "draft": draft}),
        "field_reveal" => json!({"id": record, "field": 0, "version": null}),
        "field_copy" | "url_open" | "code_show" | "code_copy" => json!({"id": record, "field": 0}),
        "attachment_save_start" | "attachment_preview" | "attachment_detach" | "attachment_reattach" => {
            json!({"id": record, "attachment": 1})
        }
        "secret_generate" => json!({"recipe": {"kind": "passphrase", "words": 6, "separator": "-", "capitals": false}}),
        "secret_show" | "secret_copy" => json!({"handle": "h"}),
        "secret_assess" => json!({"value": "v"}),
        "kind_set" => json!({"template": {"kind": "door", "name": "Door", "fields": []}}),
        "kind_remove" => json!({"kind": "door"}),
        "expiring_list" => json!({"days": 30}),
        "secret_health_start" => json!({"tenant": TENANT}),
        "search" => json!({"query": "q", "tenant": null, "limit": 10}),
        "tags_list" => json!({"tenant": TENANT}),
        "tag_rename" => json!({"tenant": TENANT, "tag": "db", "name": "database"}),
        "tag_remove" => json!({"tenant": TENANT, "tag": "db"}),
        "search_save" => json!({"name": "n", "tenant": null, "query": "q"}),
        "search_rename" => json!({"name": "n", "tenant": null, "to": "m"}),
        "search_remove" => json!({"name": "n", "tenant": null}),
        "import_start" => {
            json!({"handle": "h", "tenant": TENANT, "mapping": [], "skip_duplicates": false, "dry_run": true})
        }
        "import_open_file" => json!({"handle": "h", "tenant": TENANT, "key_file": false}),
        "tenant_export_start" => json!({"tenant": TENANT, "format": "kdbx"}),
        "tenant_twin_start" => json!({"tenant": TENANT, "name": "Twin", "seed": null}),
        "subject_find_start" => json!({"tenant": TENANT, "identifiers": ["Anna Schmidt"]}),
        "subject_export_start" => json!({"tenant": TENANT, "identifiers": ["Anna Schmidt"], "records": null}),
        "subject_erase_start" => {
            json!({"tenant": TENANT, "identifiers": ["Anna Schmidt"], "records": [record], "history_only": false})
        }
        "job_progress" | "job_cancel" => json!({"job": "0"}),
        "files_check" => json!({"again": false}),
        "log_page" => json!({"before": null, "limit": 10}),
        _ => json!({}),
    }
}

#[test]
fn attack_38_every_command_is_refused_while_locked() {
    let app = app();
    let window = window(&app, "main");
    for command in COMMANDS.iter().filter(|command| !BEFORE_A_SESSION.contains(command)) {
        let refusal = ask(&window, command, request(command)).unwrap_err();
        assert_eq!(code(&refusal), "locked", "{command}");
    }
}

#[test]
fn before_a_session_there_is_the_first_run_and_nothing_of_any_vault() {
    let app = app();
    let window = window(&app, "main");
    let state = ask(&window, "app_state", json!({})).unwrap();
    assert_eq!((&state["screen"], &state["session"]), (&json!("first_run"), &Value::Null));
    assert_eq!(ask(&window, "places", json!({})).unwrap(), json!([]));
    assert_eq!(code(&ask(&window, "job_progress", json!({"job": "0"})).unwrap_err()), "not_found");
    let guessed = json!({"handle": "/etc/passwd", "login": "ines"});
    assert_eq!(code(&ask(&window, "create_vault", guessed).unwrap_err()), "not_found");
}

#[test]
fn attack_40_members_that_a_command_does_not_know_are_refused() {
    let app = app();
    let window = window(&app, "main");
    for command in COMMANDS {
        let mut body = request(command);
        body["role"] = json!("administrator");
        assert_eq!(code(&ask(&window, command, body).unwrap_err()), "invalid_request", "{command}");
    }
    let polluted =
        r#"{"tenant":"0123456789abcdefghjkmnpqrs","draft":{"kind":"login","title":"t","__proto__":{"a":1}}}"#;
    let polluted = serde_json::from_str(polluted).unwrap();
    assert_eq!(code(&ask(&window, "record_add", polluted).unwrap_err()), "invalid_request");
    for wrong in [json!({"id": "../../etc/passwd"}), json!({"id": 7}), json!([]), json!(null), json!({})] {
        assert_eq!(code(&ask(&window, "record_open", wrong).unwrap_err()), "invalid_request");
    }
}

#[test]
fn attack_08_no_command_takes_a_passphrase_or_a_path() {
    let app = app();
    let window = window(&app, "main");
    for command in COMMANDS {
        for member in ["passphrase", "password", "code", "key", "path", "file", "folder"] {
            let mut body = request(command);
            body[member] = json!("correct horse battery staple");
            assert_eq!(code(&ask(&window, command, body).unwrap_err()), "invalid_request", "{command} {member}");
        }
    }
}

#[test]
fn attack_41_what_was_not_granted_is_denied() {
    let app = app();
    let main = window(&app, "main");
    let other = window(&app, "other");
    for command in
        ["plugin:fs|read_file", "plugin:shell|open", "plugin:window|create", "plugin:webview|print", "unlock"]
    {
        assert!(ask(&main, command, json!({})).is_err(), "{command}");
    }
    for command in COMMANDS {
        let denied = ask(&other, command, request(command)).unwrap_err();
        assert!(denied.as_str().is_some_and(|words| words.contains("not allowed")), "{command}: {denied}");
        let denied = ask_from(&main, "https://example.org/", command, request(command)).unwrap_err();
        assert!(denied.as_str().is_some_and(|words| words.contains("not allowed")), "{command}: {denied}");
    }
}

#[test]
fn the_capability_grants_exactly_the_commands_and_nothing_of_any_plugin() {
    let capability: Value = serde_json::from_str(include_str!("../../capabilities/main.json")).unwrap();
    let granted: Vec<&str> =
        capability["permissions"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    let expected: Vec<String> = COMMANDS.iter().map(|name| format!("allow-{}", name.replace('_', "-"))).collect();
    assert_eq!(granted, expected);
    assert_eq!(capability["windows"], json!(["main"]));
}
