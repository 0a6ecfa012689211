//! What fields do beyond holding a value: one-time codes, references, kinds and their templates, secrets made by chance.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use coffer_core::host::{Clipboard, ClipboardError, Clock, SecretBytes};
use coffer_core::{CallError, CodeError, KindError, SecretRecipe, Session};
use coffer_model::record::{FieldDraft, FieldType, RecordDraft};
use coffer_model::template::{FieldWord, InvalidTemplate, KindTemplate};
use coffer_model::time::Timestamp;
use coffer_tests::{Place, field, kept, login_draft, tenant};

/// RFC 6238 appendix B: `12345678901234567890`.
const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The time of day that a test sets; everything else is the machine's.
struct SetClock {
    inner: Arc<dyn Clock>,
    now: Mutex<Option<Timestamp>>,
}

impl SetClock {
    fn within(place: &mut Place) -> Arc<Self> {
        let clock = Arc::new(Self { inner: place.host.clock.clone(), now: Mutex::new(None) });
        place.host.clock = clock.clone();
        clock
    }

    fn set(&self, at: &str) {
        *self.now.lock().unwrap() = Some(at.parse().unwrap());
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.now.lock().unwrap().unwrap_or_else(|| self.inner.now())
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

#[derive(Default)]
struct Pasteboard(Mutex<Option<Vec<u8>>>);

impl Clipboard for Pasteboard {
    fn copy_secret(&self, secret: SecretBytes, _clear_after: Duration) -> Result<(), ClipboardError> {
        *self.0.lock().unwrap() = Some(secret.expose().to_vec());
        Ok(())
    }

    fn clear_if_ours(&self) -> Result<bool, ClipboardError> {
        Ok(self.0.lock().unwrap().take().is_some())
    }

    fn wait_until_cleared(&self) -> Result<(), ClipboardError> {
        Ok(())
    }
}

fn newest_actions(session: &Session, count: usize) -> Vec<String> {
    let entries = session.log_page(None, 100).unwrap().entries;
    let mut newest: Vec<_> = entries.into_iter().take(count).map(|entry| entry.action).collect();
    newest.reverse();
    newest
}

fn with_seed(title: &str, seed: &str) -> RecordDraft {
    let mut draft = login_draft(title, "ines", "x");
    draft.fields.push(field("Code", FieldType::Totp, seed));
    draft
}

#[test]
fn codes_are_those_of_the_moment_and_the_seed_stays_masked() {
    let mut place = Place::new();
    let clock = SetClock::within(&mut place);
    let clipboard = Arc::new(Pasteboard::default());
    place.host.clipboard = clipboard.clone();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let uri = format!("otpauth://totp/ACME:ines?secret={SEED}&digits=8&issuer=ACME");
    let record = session.add_record(acme, with_seed("Gate", &uri)).unwrap();
    let code = record.fields[2].id;
    assert_eq!((record.fields[2].value.as_deref(), record.fields[2].empty), (None, false));
    assert!(!serde_json::to_string(&record).unwrap().contains(SEED));

    // RFC 6238 appendix B.
    clock.set("1970-01-01T00:00:59Z");
    let shown = session.totp_code(record.id, code).unwrap();
    assert_eq!((shown.code.expose(), shown.seconds_left, shown.period_seconds), ("94287082", 1, 30));
    clock.set("2005-03-18T01:58:31.999Z");
    let shown = session.totp_code(record.id, code).unwrap();
    assert_eq!((shown.code.expose(), shown.seconds_left), ("14050471", 29));
    session.copy_code_for(record.id, code, Duration::from_secs(30)).unwrap();
    assert_eq!(clipboard.0.lock().unwrap().as_deref(), Some(&b"14050471"[..]));
    assert_eq!(newest_actions(&session, 3), ["code.shown", "code.shown", "code.copied"]);
    let entry = session.log_page(None, 2).unwrap().entries.pop().unwrap();
    assert_eq!((entry.record, entry.field, entry.version), (Some(record.id), Some(code), Some(1)));

    // Only the seed itself is an exposure, and a write of the tenant's file.
    assert_eq!(session.reveal_field(record.id, code, None).unwrap().expose(), uri);
    assert_eq!(newest_actions(&session, 1), ["field.revealed"]);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn a_field_without_a_seed_makes_no_codes_and_no_entry() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, with_seed("Gate", "")).unwrap();
    let before = session.log_page(None, 1).unwrap().total;
    for field in &record.fields {
        assert!(matches!(session.totp_code(record.id, field.id), Err(CodeError::NoSeed)));
    }
    assert_eq!(session.log_page(None, 1).unwrap().total, before + 1, "the reading of the log alone");
    let missing = session.totp_code(record.id, coffer_model::record::FieldId(9));
    assert!(matches!(missing, Err(CodeError::Call(CallError::NotFound))));
}

#[test]
fn no_seed_is_searched_or_in_the_history() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let record = session.add_record(acme, with_seed("Gate", SEED)).unwrap();
    let mut other = kept(&record);
    other.fields[2].value = Some("JBSWY3DPEHPK3PXP".into());
    session.change_record(record.id, 1, other).unwrap();
    for words in [SEED, "JBSWY3DPEHPK3PXP", "otpauth"] {
        assert!(session.search(words, None, 10).unwrap().hits.is_empty());
    }
    let history = format!("{:?}", session.record_history(record.id).unwrap());
    assert!(!history.contains(SEED) && !history.contains("JBSWY3DP"));
}

#[test]
fn a_reference_shows_the_other_records_title_and_says_when_it_is_none_of_this_tenant() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let acme = tenant(&session, "ACME GmbH").id;
    let bauer = tenant(&session, "Bauer & Co").id;
    let target = session.add_record(acme, login_draft("Replica", "ines", "x")).unwrap();
    let foreign = session.add_record(bauer, login_draft("canary-5512", "ines", "x")).unwrap();
    let mut draft = login_draft("Primary", "ines", "y");
    draft.fields.push(field("Replica", FieldType::Reference, &target.id.key().to_string()));
    draft.fields.push(field("Other", FieldType::Reference, &foreign.id.key().to_string()));
    let record = session.add_record(acme, draft).unwrap();
    let reference = record.fields[2].reference.as_ref().unwrap();
    assert_eq!((reference.id, reference.title.as_str()), (target.id, "Replica"));
    assert_eq!(record.fields[3].reference, None);
    assert!(!serde_json::to_string(&record).unwrap().contains("canary"));
    let page = session.open_records(acme, 10, None).unwrap();
    assert_eq!(page.records[0].fields[2].reference, record.fields[2].reference);

    let draft = FieldDraft { value: Some("Replica".into()), ..field("Replica", FieldType::Reference, "") };
    let mut refused = login_draft("Third", "ines", "z");
    refused.fields.push(draft);
    assert!(session.add_record(acme, refused).is_err());
}

fn door(name: &str) -> KindTemplate {
    KindTemplate::parse(&format!(
        "kind = 'door_code'\nname = '{name}'\n[[field]]\nname = 'Place'\ntype = 'choice'\noptions = ['Front', 'Cellar']\n\
         [[field]]\nword = 'pin'\ntype = 'secret'\nrole = 'secret'\n"
    ))
    .unwrap()
}

#[test]
fn a_vaults_own_kind_is_there_after_unlocking_until_it_is_removed() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let offered = session.kinds().unwrap();
    assert_eq!(offered.len(), coffer_model::record::RecordKind::OFFERED.len());
    assert_eq!(offered[0].fields[1].word, Some(FieldWord::Password));
    session.set_kind(door("Door code")).unwrap();
    session.set_kind(door("Door")).unwrap();
    session.lock().unwrap();

    let session = place.unlock();
    let kinds = session.kinds().unwrap();
    assert_eq!(kinds[..offered.len()], offered);
    let [own] = &kinds[offered.len()..] else { panic!("{kinds:?}") };
    assert_eq!((own.kind.as_str(), own.name.as_deref(), own.fields.len()), ("door_code", Some("Door"), 2));
    assert_eq!(own.fields[0].options[1].text.as_deref(), Some("Cellar"));

    session.remove_kind(&own.kind).unwrap();
    assert_eq!(session.kinds().unwrap(), offered);
    assert!(matches!(session.remove_kind(&own.kind), Err(KindError::NoSuchKind)));
    let actions = session.log_page(None, 100).unwrap().entries.into_iter().map(|entry| entry.action);
    let actions: Vec<_> = actions.filter(|action| action.starts_with("kind.")).collect();
    assert_eq!(actions, ["kind.removed", "kind.set", "kind.set"]);
    session.lock().unwrap();
    assert_eq!(place.unlock().kinds().unwrap(), offered);
}

#[test]
fn a_kind_that_every_vault_has_is_not_replaced() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let login = KindTemplate { kind: "login".parse().unwrap(), ..door("Sign-in") };
    assert!(matches!(session.set_kind(login), Err(KindError::Invalid(InvalidTemplate::OfferedKind))));
    assert!(matches!(session.remove_kind(&"login".parse().unwrap()), Err(KindError::NoSuchKind)));
}

#[test]
fn a_made_secret_is_another_each_time_and_leaves_no_entry() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let before = session.log_page(None, 1).unwrap().total;
    let words = SecretRecipe::Passphrase { words: 6, separator: '-', capitals: false };
    let password =
        SecretRecipe::Password { length: 20, lower: true, upper: true, digits: true, symbols: true, unambiguous: true };
    for recipe in [words, password] {
        let (one, other) = (session.generate_secret(recipe).unwrap(), session.generate_secret(recipe).unwrap());
        assert_ne!(one.secret, other.secret);
        assert!(one.entropy_bits > 70.0 && one.score == 4, "{one:?}");
        assert_eq!(session.estimate_secret(&one.secret), one.score);
    }
    let none = SecretRecipe::Passphrase { words: 0, separator: '-', capitals: false };
    assert_eq!(session.generate_secret(none).unwrap_err().code(), "invalid_recipe");
    assert_eq!(session.log_page(None, 1).unwrap().total, before + 1, "the reading of the log alone");
}
