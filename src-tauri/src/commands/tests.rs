//! The commands as a web view reaches them, without a window: the real capability file and the real handlers, under
//! Tauri's mock runtime.

use std::path::Path;
use std::sync::Arc;

use coffer_core::host::{DeviceMaterial, DevicePlace, DeviceStore, DeviceStoreError, Host, SecretBytes};
use coffer_core::{ActivationCode, KitPlace, NewVault, Passphrase, Session, Vault};
use coffer_model::account::{Role, Roles};
use coffer_model::id::VaultId;
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
const ACCOUNT: &str = "0123456789abcdefghjkmnpqrs";
const PASSPHRASES: [&str; 2] = ["marmot quilt harbour tuba fog", "lantern pickle orbit sedan mist"];

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
    app_over(Arc::new(shell(coffer_host::system("test"))))
}

fn shell(host: Host) -> Shell {
    Shell::with_state(host, Settings::default(), Places::default())
}

fn app_over(shell: Arc<Shell>) -> App<MockRuntime> {
    mock_builder().manage(shell).invoke_handler(handler()).build(context()).unwrap()
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
        "create_vault" => json!({"handle": "h", "login": "ines", "split": null}),
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
        "records_move_preview" => json!({"from": TENANT, "ids": [record], "to": TENANT, "copy": false}),
        "records_move_start" => {
            json!({"from": TENANT, "ids": [record], "to": TENANT, "copy": false, "confirmation": "Bauer"})
        }
        "records_move_undo" => {
            let moved = json!({"from": record, "to": record, "version": 1, "arrived": true});
            json!({"moved": [moved], "copy": false})
        }
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
        "key_factors_change" => json!({"device_secret": false, "key_file": "none"}),
        "provider_pin" => {
            json!({"issuer": "https://id.example.org", "audience": "coffer", "claim": "sub", "days": 7, "choose_key_set": false})
        }
        "account_federate" => json!({"account": ACCOUNT, "subject": "otto"}),
        "policy_set" => json!({"second_factor": [], "step_up": ["reveal"], "two_people": [], "kdf_memory_kib": 0}),
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
        "account_invite" => json!({"login": "mika", "roles": ["member"], "hours": 24}),
        "invitation_withdraw" => json!({"account": ACCOUNT}),
        "roles_set" => json!({"account": ACCOUNT, "roles": ["member", "auditor"]}),
        "account_remove" => json!({"account": ACCOUNT, "even_last_steward": false}),
        "account_reset" => json!({"account": ACCOUNT, "hours": 24, "even_last_steward": false}),
        "grant_give" => json!({"tenant": TENANT, "account": ACCOUNT, "right": "reader", "until": "2027-01-31"}),
        "grant_withdraw" => json!({"tenant": TENANT, "account": ACCOUNT}),
        "glass_prepare" => json!({"tenant": TENANT, "custodians": []}),
        "glass_break" => json!({"tenant": TENANT, "reason": "Server down", "hours": 4}),
        "leaving_set" => json!({"account": ACCOUNT, "hours": 24, "days": 7}),
        "secrets_by_set" => json!({"account": ACCOUNT, "days": 7}),
        "account_keep" | "offboarding" | "exposure_check_start" => json!({"account": ACCOUNT}),
        "exposure_report_start" => json!({"tenant": TENANT, "account": ACCOUNT}),
        "key_rotate" | "key_compromised" => json!({"kind": "directory", "tenant": null}),
        "periods_set" => json!({"periods": [{"kind": "tenant", "days": 180}]}),
        "recovery_renew" => json!({"split": {"needed": 2, "shares": 3}}),
        "recovery_accept" => json!({"words": "six words that are not these ones"}),
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

/// What an administrator or an auditor may ask for and a member may not, none of which opens a window first.
const NOT_FOR_MEMBERS: [&str; 27] = [
    "tenant_create",
    "kind_set",
    "kind_remove",
    "backup_export_start",
    "backup_verify_start",
    "backup_restore_start",
    "vault_move_start",
    "backups_list",
    "account_invite",
    "invitation_withdraw",
    "roles_set",
    "account_remove",
    "account_reset",
    "leaving_set",
    "secrets_by_set",
    "account_keep",
    "offboarding",
    "exposure_check_start",
    "key_access",
    "key_rotate",
    "key_compromised",
    "periods_set",
    "recovery_renew",
    "tenants_recover",
    "device_enrol",
    "log_page",
    "log_verify_start",
];

#[test]
fn attack_37_a_member_invoking_an_administrators_command_is_denied_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("Kanzlei.coffer");
    let shell = Arc::new(shell(host()));
    shell.begin(member_of_new_vault(&place));
    let app = app_over(Arc::clone(&shell));
    let window = window(&app, "main");
    for command in NOT_FOR_MEMBERS {
        let refusal = ask(&window, command, request(command)).unwrap_err();
        assert_eq!(code(&refusal), "refused", "{command}");
    }
    assert_eq!(ask(&window, "tenants_list", json!({})).unwrap(), json!([]));
    shell.lock();

    let vault = Vault::open(&host(), &place).unwrap();
    let auditor = vault.unlock("ines", passphrase(PASSPHRASES[0])).unwrap();
    let log = auditor.log_page(None, 200).unwrap();
    let is_refusal = |entry: &&coffer_core::view::LogEntryView| {
        entry.action == "access.refused" && entry.actor.as_deref() == Some("mika")
    };
    assert_eq!(log.entries.iter().filter(is_refusal).count(), NOT_FOR_MEMBERS.len());
    auditor.lock().unwrap();
}

#[test]
fn attack_39_a_forged_role_or_account_is_worth_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("Kanzlei.coffer");
    let shell = Arc::new(shell(host()));
    shell.begin(member_of_new_vault(&place));
    let app = app_over(Arc::clone(&shell));
    let window = window(&app, "main");
    let people = ask(&window, "people_list", json!({})).unwrap();
    let id_of = |login: &str| {
        let accounts = people["accounts"].as_array().unwrap();
        accounts.iter().find(|account| account["login"] == login).unwrap()["id"].clone()
    };
    // No command takes a role or an account for who asks: the session's is the only one there is.
    for forged in ["roles", "role", "account", "login", "actor"] {
        let mut body = json!({"name": "Forged"});
        body[forged] = id_of("ines");
        assert_eq!(code(&ask(&window, "tenant_create", body).unwrap_err()), "invalid_request", "{forged}");
    }
    // Where an account is named, it is the one that something is done to. Naming oneself or an administrator gives nothing.
    for account in [id_of("mika"), id_of("ines")] {
        let roles = json!({"account": account, "roles": ["administrator"]});
        assert_eq!(code(&ask(&window, "roles_set", roles).unwrap_err()), "refused");
        let removal = json!({"account": account, "even_last_steward": true});
        assert_eq!(code(&ask(&window, "account_remove", removal).unwrap_err()), "refused");
    }
    let people = ask(&window, "people_list", json!({})).unwrap();
    let mika = people["accounts"].as_array().unwrap().iter().find(|account| account["login"] == "mika").unwrap();
    assert_eq!(mika["roles"], json!(["member"]));
    assert_eq!(mika["grants"], json!([]));
    shell.lock();
}

/// A session of somebody who was invited as a member and activated.
fn member_of_new_vault(place: &Path) -> Session {
    let new =
        NewVault { login: "ines".parse().unwrap(), passphrase: passphrase(PASSPHRASES[0]), demo: false, split: None };
    let administrator = Vault::create(&host(), place, new).unwrap().session;
    let proof = administrator.authenticated_by_unlocking().unwrap();
    let member = Roles::of([Role::Member]);
    let invitation = administrator.invite(&"mika".parse().unwrap(), member, 24, proof).unwrap();
    administrator.lock().unwrap();
    let code = ActivationCode::parse_text(std::str::from_utf8(invitation.code.expose()).unwrap()).unwrap();
    Vault::open(&host(), place).unwrap().activate(&code, &passphrase(PASSPHRASES[1])).unwrap()
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::parse(text.into()).unwrap()
}

/// This machine, but for the device keys of whoever runs the test.
fn host() -> Host {
    let mut host = coffer_host::system("test");
    host.devices = Arc::new(NoDevice);
    host
}

/// Takes a device's key and forgets it.
struct NoDevice;

impl DeviceStore for NoDevice {
    fn load(&self, _vault: VaultId) -> Result<Option<DeviceMaterial>, DeviceStoreError> {
        Ok(None)
    }

    fn save(&self, _vault: VaultId, _secret: &SecretBytes) -> Result<DevicePlace, DeviceStoreError> {
        Ok(DevicePlace::Keyring)
    }

    fn forget(&self, _vault: VaultId) -> Result<(), DeviceStoreError> {
        Ok(())
    }
}

#[test]
fn locking_takes_a_kit_away_that_does_not_count_yet_and_leaves_one_that_may() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["kit-2.txt", "kit-3.txt"].map(|name| folder.path().join(name));
    let shell = shell(host());
    shell.hold_kit_place(KitPlace::make(&first, None).unwrap()).unwrap();
    // Another one in its place would take the first one's files away.
    assert!(shell.hold_kit_place(KitPlace::make(&second, None).unwrap()).is_err());
    assert!(first.exists() && !second.exists());
    shell.lock();
    assert!(!first.exists());

    shell.hold_kit_place(KitPlace::make(&second, None).unwrap()).unwrap();
    shell.stay_kit_place();
    shell.lock();
    assert!(second.exists());
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
