//! What must not be readable outside the encrypted files: every kind of event is made to happen with values that occur
//! nowhere else, and then the log is exported, every file read, and each value looked for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use coffer_core::host::Identity;
use coffer_core::view::LogEntryView;
use coffer_core::{ImportRequest, KitGroup, MoveRequest, NewVault, RestoreOptions, Session, TagChange, Vault};
use coffer_model::id::{RecordId, RecordKey};
use coffer_model::record::{FieldType, RecordDraft};
use coffer_model::template::KindTemplate;
use coffer_tests::{LOGIN, Place, field, forget_delays, kept, passphrase, tenant};

const GOOD_PASSPHRASE: &str = "Kwexolip brindor vask 73!";
const WRONG_PASSPHRASE: &str = "Plomdreth uziwex karn 19!";
const WRONG_LOGIN: &str = "vexqwarblinson";
const TENANT: &str = "Zyprolknaft Werke";
const OTHER_TENANT: &str = "Wubbrelix Nord";
const TITLE: &str = "Gwendrelloxat";
const NEW_TITLE: &str = "Hublixotramme";
const FIELD_NAME: &str = "Jorpwixelnot";
const TEXT: &str = "mivrexolandu@qaplo.example";
const SECRET: &str = "Xut4-velkropinde-77";
const NEW_SECRET: &str = "Yob9-trakwelumfi-31";
const TAG: &str = "nebbraquilost";
const NOTES: &str = "Ofrizelbund trekkwa nimmoxel.";
const QUERY: &str = "gwendrell";
const IMPORTED: &str = "Quastimbrelov";
const IMPORTED_SECRET: &str = "Rij2-wolbextrami-55";
const SEED: &str = "JBSWY3DPO5XXE3DEMZXW6YTB";
const KIND: &str = "Skwimblatroffel";
const CHOICE: &str = "Vrondelkaspit";
const BAD_DATE: &str = "Dulvekkrontis";
const NEW_TAG: &str = "brumpelvosti";
const SAVED: &str = "Prellokwandis";
const SAVED_QUERY: &str = "tag:nebbraquilost -wurblenaxit";

const CANARIES: [&str; 23] = [
    GOOD_PASSPHRASE,
    WRONG_PASSPHRASE,
    WRONG_LOGIN,
    TENANT,
    OTHER_TENANT,
    TITLE,
    NEW_TITLE,
    FIELD_NAME,
    TEXT,
    SECRET,
    NEW_SECRET,
    TAG,
    NOTES,
    QUERY,
    IMPORTED,
    IMPORTED_SECRET,
    SEED,
    KIND,
    CHOICE,
    BAD_DATE,
    NEW_TAG,
    SAVED,
    SAVED_QUERY,
];

/// Is meant to be in every entry, so that the search is known to find what is there.
const IN_EVERY_ENTRY: &str = "wimbledrask-desk";

/// How many characters of a canary give it away.
const FRAGMENT: usize = 8;

/// Every fragment of a canary as it may be written: UTF-8 in its own case and folded, UTF-16.
fn fragments(canary: &str) -> Vec<Vec<u8>> {
    let mut forms = BTreeSet::new();
    for text in [canary.to_owned(), canary.to_lowercase()] {
        for window in text.as_bytes().windows(FRAGMENT) {
            forms.insert(window.to_vec());
        }
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        forms.extend(wide.chunks_exact(2).collect::<Vec<_>>().windows(FRAGMENT).map(<[&[u8]]>::concat));
    }
    forms.into_iter().collect()
}

/// Whether any of `forms`, which are all of at least [`FRAGMENT`] bytes, is in `bytes`.
fn holds(bytes: &[u8], forms: &[Vec<u8>]) -> bool {
    // Most windows begin with a byte that none of them begins with.
    let mut begins = [false; 256];
    for form in forms {
        begins[usize::from(form[0])] = true;
    }
    (0..bytes.len()).any(|at| begins[usize::from(bytes[at])] && forms.iter().any(|form| bytes[at..].starts_with(form)))
}

fn found_in(bytes: &[u8]) -> Vec<&'static str> {
    CANARIES.into_iter().filter(|canary| holds(bytes, &fragments(canary))).collect()
}

fn draft(title: &str, secret: &str) -> RecordDraft {
    RecordDraft {
        kind: "login".parse().unwrap(),
        title: title.to_owned(),
        fields: vec![
            field(FIELD_NAME, FieldType::Text, TEXT),
            field("Password", FieldType::Secret, secret),
            field("Code", FieldType::Totp, SEED),
            field("Place", FieldType::Choice, CHOICE),
            field("Lease", FieldType::Expiry, "2020-02-29"),
        ],
        tags: vec![TAG.to_owned()],
        notes: NOTES.to_owned(),
    }
}

/// Makes every kind of event happen that a vault with one account can have.
fn live_a_full_life(place: &Place) -> (Vault, Session) {
    let folder = place.vault_folder();
    let new =
        NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(GOOD_PASSPHRASE), demo: false, split: None };
    let created = Vault::create(&place.host, &folder, new).unwrap();
    let (session, kit) = (created.session, created.kit);
    let text = String::from_utf8(kit.to_text().expose().to_vec()).unwrap();
    let first = KitGroup { share: None, position: 0 };
    let group = text.split_whitespace().find(|group| kit.group_matches(first, group)).unwrap();
    assert!(session.confirm_recovery_kit(&kit, &[(first, group)]).unwrap());
    assert!(session.authenticate(&passphrase(WRONG_PASSPHRASE).into()).is_err());
    session.lock().unwrap();

    let vault = place.vault();
    // So many that some are only counted.
    for number in 0..25 {
        let login = if number % 2 == 0 { LOGIN } else { WRONG_LOGIN };
        assert!(vault.unlock(login, passphrase(WRONG_PASSPHRASE)).is_err());
        forget_delays(&place.vault_folder());
    }
    let session = vault.unlock(LOGIN, passphrase(GOOD_PASSPHRASE)).unwrap();
    let id = tenant(&session, TENANT).id;
    let record = session.add_record(id, draft(TITLE, SECRET)).unwrap();
    let password = record.fields[1].id;
    let mut changed = kept(&record);
    NEW_TITLE.clone_into(&mut changed.title);
    changed.fields[1].value = Some(NEW_SECRET.into());
    session.change_record(record.id, 1, changed).unwrap();
    session.list_records(id, 100, None).unwrap();
    session.open_record(record.id).unwrap();
    session.record_history(record.id).unwrap();
    session.reveal_field(record.id, password, Some(1)).unwrap();
    // With or without a clipboard to copy to, the entry comes first.
    let _ = session.copy_field(record.id, password);
    session.totp_code(record.id, record.fields[2].id).unwrap();
    let _ = session.copy_code_for(record.id, record.fields[2].id, Duration::from_secs(1));
    assert_eq!(session.expiring(0).unwrap().records.len(), 1);
    assert_eq!(session.start_secret_health(id).unwrap().wait().unwrap().expired, 1);
    let text =
        format!("kind = 'own'\nname = '{KIND}'\n[[field]]\nname = 'At'\ntype = 'choice'\noptions = ['{CHOICE}']\n");
    session.set_kind(KindTemplate::parse(&text).unwrap()).unwrap();
    session.set_kind(KindTemplate::parse(&text.replace("own", "other")).unwrap()).unwrap();
    session.remove_kind(&"other".parse().unwrap()).unwrap();
    session.search(&QUERY.parse().unwrap(), None, 10).unwrap();
    assert_eq!(session.tags(id).unwrap().len(), 1);
    session.rename_tag(id, TAG, NEW_TAG).unwrap();
    session.save_search("any", None, SAVED_QUERY).unwrap();
    session.save_search(QUERY, Some(id), QUERY).unwrap();
    session.rename_search("any", None, SAVED).unwrap();
    session.remove_search(QUERY, Some(id)).unwrap();
    session.remove_tag(id, NEW_TAG).unwrap();
    let nowhere = RecordId::new(id, RecordKey::from_time_and_random(place.host.clock.now(), [7; 10]));
    assert!(session.open_record(nowhere).is_err());

    let other = session.add_record(id, draft(TITLE, SECRET)).unwrap().id;
    session.set_favourite(other, true).unwrap();
    session.set_favourite(other, false).unwrap();
    let newest = session.open_record(record.id).unwrap().version;
    session.restore_version(record.id, 1, newest).unwrap();
    session.keep_draft(id, Some((other, 1)), &draft(TITLE, NEW_SECRET)).unwrap();
    session.draft(id, Some(other)).unwrap().unwrap();
    session.discard_draft(id, Some(other)).unwrap();
    session.tag_records(&[other], &TagChange { add: vec![format!("{TAG}-2")], remove: vec![] }).unwrap();
    session.trash_record(other).unwrap();
    session.restore_record(other).unwrap();
    session.trash_record(other).unwrap();
    session.purge_record(other).unwrap();
    // Kept, so that the files are searched for it as well.
    session.keep_draft(id, None, &draft(TITLE, NEW_SECRET)).unwrap();

    let csv = place.path("import.csv");
    let import = |rows: &str, dry_run| {
        fs::write(&csv, format!("Title,Password,Born\n{rows}")).unwrap();
        let mapping = vec!["Born=Born:date".to_owned()];
        let request = ImportRequest { mapping, dry_run, ..ImportRequest::new(csv.clone(), id) };
        session.start_import(request).unwrap().wait()
    };
    let good = format!("{IMPORTED},{IMPORTED_SECRET},1990-05-01\n");
    let bad = format!("{IMPORTED},{IMPORTED_SECRET},{BAD_DATE}\n");
    assert_eq!(import(&good, true).unwrap().imported, 1);
    let rejected = format!("{:?}", import(&bad, false));
    assert_eq!(found_in(rejected.as_bytes()), [""; 0], "an error names a value: {rejected}");
    assert_eq!(import(&good, false).unwrap().imported, 1);
    fs::remove_file(&csv).unwrap();

    let to = tenant(&session, OTHER_TENANT).id;
    let confirmation = OTHER_TENANT.to_owned();
    let moved = MoveRequest { from: id, records: vec![record.id], to, copy: false, confirmation };
    session.start_move(&moved).unwrap().wait().unwrap();

    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
    for name in ["one.age", "two.age"] {
        session.start_backup(&place.path(name)).wait().unwrap();
    }
    session.start_verify_backup(&place.path("one.age")).wait().unwrap();
    let older = RestoreOptions { accept_older: true };
    session.start_restore(&place.path("one.age"), &place.path("again.coffer"), older).wait().unwrap();
    session.lock().unwrap();
    let session = vault.unlock(LOGIN, passphrase(GOOD_PASSPHRASE)).unwrap();
    (vault, session)
}

/// Every entry as an export writes it.
fn exported(session: &Session) -> Vec<LogEntryView> {
    let mut entries = Vec::new();
    let mut before = None;
    loop {
        let page = session.log_export_page(before, 1000).unwrap();
        entries.extend(page.entries);
        before = page.next_before;
        if before.is_none() {
            return entries;
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn lived_in() -> (Place, Session) {
    let mut place = Place::new();
    place.host.identity = Identity { host_name: IN_EVERY_ENTRY.to_owned(), ..place.host.identity };
    let (_vault, session) = live_a_full_life(&place);
    (place, session)
}

#[test]
fn attack_58_no_secret_reaches_the_log() {
    let (_place, session) = lived_in();
    let entries = exported(&session);
    let again = exported(&session);
    let actions: BTreeSet<_> = again.iter().map(|entry| entry.action.as_str()).collect();
    for action in [
        "access.refused",
        "account.created",
        "backup.exported",
        "backup.older_accepted",
        "backup.restored",
        "backup.verified",
        "code.copied",
        "code.shown",
        "device.enrolled",
        "draft.discarded",
        "draft.kept",
        "draft.opened",
        "field.copied",
        "field.revealed",
        "kind.removed",
        "kind.set",
        "log.exported",
        "log.verified",
        "record.added",
        "record.changed",
        "record.favourite_set",
        "record.favourite_unset",
        "record.history_opened",
        "record.opened",
        "records.expiring_listed",
        "record.version_restored",
        "records.imported",
        "records.listed",
        "records.moved",
        "records.purged",
        "records.received",
        "records.restored",
        "records.searched",
        "records.sent",
        "records.tagged",
        "records.trashed",
        "recovery_kit.confirmed",
        "secrets.assessed",
        "search.removed",
        "search.renamed",
        "search.saved",
        "tag.removed",
        "tag.renamed",
        "tags.listed",
        "tenant.created",
        "tenant.opened",
        "vault.created",
        "vault.locked",
        "vault.unlock_failed",
        "vault.unlock_failures_counted",
        "vault.unlocked",
    ] {
        assert!(actions.contains(action), "no {action} in {actions:?}");
    }
    for mut entry in entries {
        // Names of tenants are looked up for those who may know them; entries hold identifiers.
        if let Some(name) = entry.tenant_name.take() {
            assert!([TENANT, OTHER_TENANT].contains(&name.as_str()), "{name}");
        }
        let text = serde_json::to_vec(&entry).unwrap();
        assert!(holds(&text, &fragments(IN_EVERY_ENTRY)), "the search finds nothing at all");
        assert_eq!(found_in(&text), [""; 0], "in entry {}: {}", entry.index, entry.action);
    }
}

fn assert_no_canary_in_files(place: &Place, state: &str) {
    let files = files_below(&place.path("."));
    assert!(files.len() > 12, "{files:?}");
    for path in &files {
        let bytes = fs::read(path).unwrap();
        assert_eq!(found_in(&bytes), [""; 0], "{state}: {}", path.display());
        assert!(!path.to_string_lossy().contains(".coffer-"), "{state}: a temporary is left: {}", path.display());
    }
}

#[test]
fn no_canary_is_readable_in_any_file_whether_unlocked_or_locked() {
    let (place, session) = lived_in();
    assert_no_canary_in_files(&place, "unlocked");
    session.lock().unwrap();
    assert_no_canary_in_files(&place, "locked");
    // The search does find what is there.
    for canary in CANARIES {
        let wide: Vec<u8> = canary.to_lowercase().encode_utf16().flat_map(u16::to_le_bytes).collect();
        for planted in [[b"..", &wide[2..], b".."].concat(), [b"..", &canary.as_bytes()[1..], b".."].concat()] {
            assert!(found_in(&planted).contains(&canary), "{canary}");
        }
    }
}
