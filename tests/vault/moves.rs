//! Records that go from one tenant into another: with everything they have, cut off from what stays, never twice, never
//! lost, and only for those who may in both.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use coffer_core::view::{LogEntryView, MoveReport, MovedRecord, RecordView, VersionView};
use coffer_core::{BulkError, CallError, JobError, MoveError, MoveRequest, Session};
use coffer_model::account::Role;
use coffer_model::grant::Right;
use coffer_model::id::{RecordId, RecordKey, TenantId};
use coffer_model::query::Query;
use coffer_model::record::{FieldType, RecordDraft};
use coffer_tests::{Place, account, enrol, field, kept, login_draft, tenant};

const ACME: &str = "ACME GmbH";
const BAUER: &str = "Bauer & Co";

fn both(session: &Session) -> (TenantId, TenantId) {
    (tenant(session, ACME).id, tenant(session, BAUER).id)
}

fn request(from: TenantId, records: &[RecordId], to: TenantId) -> MoveRequest {
    MoveRequest { from, records: records.to_vec(), to, copy: false, confirmation: BAUER.to_owned() }
}

#[expect(clippy::needless_pass_by_value, reason = "a request is written where it is run")]
fn run(session: &Session, request: MoveRequest) -> MoveReport {
    session.start_move(&request).unwrap().wait().unwrap()
}

fn titles(session: &Session, tenant: TenantId) -> Vec<String> {
    session.list_records(tenant, 1_000, None).unwrap().records.into_iter().map(|row| row.title).collect()
}

fn trash(session: &Session, tenant: TenantId) -> Vec<RecordId> {
    session.list_trash(tenant, 1_000, None, 0).unwrap().records.into_iter().map(|row| row.record.id).collect()
}

fn entries(session: &Session) -> Vec<LogEntryView> {
    session.log_page(None, 1_000).unwrap().entries
}

fn refusals(session: &Session, of: TenantId) -> usize {
    entries(session).iter().filter(|entry| entry.action == "access.refused" && entry.tenant == Some(of)).count()
}

/// Files of attachments in the vault's folder.
fn stored(place: &Place) -> BTreeSet<PathBuf> {
    let Ok(tenants) = fs::read_dir(place.vault_folder().join("files")) else { return BTreeSet::new() };
    let files = tenants.flat_map(|tenant| fs::read_dir(tenant.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

fn attach(place: &Place, session: &Session, record: RecordId, name: &str, content: &[u8]) {
    let path = place.path(name);
    fs::write(&path, content).unwrap();
    session.start_attach(record, &path).unwrap().wait().unwrap();
}

/// Changes the password of a login.
fn change(session: &Session, record: &RecordView, password: &str) -> RecordView {
    let mut draft = kept(record);
    draft.fields[1].value = Some(password.into());
    session.change_record(record.id, record.version, draft).unwrap()
}

fn referring(title: &str, name: &str, to: RecordId) -> RecordDraft {
    RecordDraft {
        kind: "server".parse().unwrap(),
        title: title.to_owned(),
        fields: vec![field(name, FieldType::Reference, &to.key().to_string())],
        tags: vec![],
        notes: String::new(),
    }
}

/// What changed, from what, to what.
type Change = (String, Option<String>, Option<String>);

/// What a version says, wherever it is.
fn told(version: &VersionView) -> (u32, Vec<Change>) {
    let changes = version.changes.iter();
    (
        version.version,
        changes.map(|change| (change.what.clone(), change.before.clone(), change.after.clone())).collect(),
    )
}

#[test]
fn a_moved_record_has_in_the_other_tenant_everything_it_had() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let first = session.add_record(acme, login_draft("Gate", "svc", "Canarywharf-1")).unwrap();
    let gate = first.id;
    change(&session, &first, "Canarywharf-2");
    attach(&place, &session, gate, "plan.txt", b"plan of the gate");
    attach(&place, &session, gate, "old.bin", &vec![7; 70_000]);
    let before = session.open_record(gate).unwrap();
    session.detach(gate, before.attachments[1].id).unwrap();
    let before = session.open_record(gate).unwrap();
    let history = session.record_history(gate).unwrap();
    let files = stored(&place);

    let preview = session.inspect_move(&request(acme, &[gate], bauer)).unwrap();
    assert_eq!((preview.records, preview.present, preview.versions, preview.attachments), (1, 0, 5, 2));
    assert_eq!((preview.bytes, preview.cut_counted), (70_016, 0));
    assert_eq!((stored(&place), titles(&session, bauer).len()), (files.clone(), 0), "looking changes nothing");
    let report = run(&session, request(acme, &[gate], bauer));
    assert_eq!(report.what, preview);
    let moved = report.moved[0];
    assert_eq!((moved.from, moved.to, moved.version, moved.arrived), (gate, RecordId::new(bauer, gate.key()), 5, true));

    let there = session.open_record(moved.to).unwrap();
    assert_eq!(
        (there.created_at, there.version, &there.tags, &there.notes),
        (before.created_at, 5, &before.tags, &before.notes)
    );
    assert_eq!(
        (&there.fields, &there.attachments, &there.tenant_name),
        (&before.fields, &before.attachments, &BAUER.to_owned())
    );
    let history_there = session.record_history(moved.to).unwrap();
    assert_eq!(history_there.iter().map(told).collect::<Vec<_>>(), history.iter().map(told).collect::<Vec<_>>());
    let made: Vec<_> = history_there.iter().map(|version| version.made_at.unwrap()).collect();
    assert_eq!(made, history.iter().map(|version| version.changed_at).collect::<Vec<_>>());
    let password = before.fields[1].id;
    for (version, value) in [(1, "Canarywharf-1"), (5, "Canarywharf-2")] {
        assert_eq!(session.reveal_field(moved.to, password, Some(version)).unwrap().expose(), value);
    }
    for (number, content) in [(1, b"plan of the gate".to_vec()), (2, vec![7; 70_000])] {
        let saved = place.path(&format!("saved-{number}"));
        let id = coffer_model::attachment::AttachmentId(number);
        session.start_save_attachment(moved.to, id, &saved).unwrap().wait().unwrap();
        assert!(fs::read(saved).unwrap() == content);
    }
    // Each content is encrypted anew for the tenant that has it now.
    assert!(stored(&place).is_superset(&files) && stored(&place).len() == 2 * files.len());

    assert_eq!((titles(&session, acme).len(), trash(&session, acme)), (0, vec![gate]));
    assert_eq!(session.record_history(gate).unwrap(), history, "what was here is whole in the trash");
    let found = session.search(&Query::parse_unfinished("gate"), None, 10).unwrap().hits;
    assert_eq!(found.iter().map(|hit| hit.record.id).collect::<Vec<_>>(), [moved.to]);
    session.lock().unwrap();
    let session = place.unlock();
    assert_eq!(session.open_record(moved.to).unwrap().attachments, before.attachments);
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn references_among_what_moves_lead_on_and_those_to_what_stays_are_told_and_cut_in_every_version() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let stays = session.add_record(acme, login_draft("Stays", "svc", "x")).unwrap().id;
    let moves = session.add_record(acme, login_draft("Moves", "svc", "x")).unwrap().id;
    let earlier = session.add_record(acme, referring("Earlier", "Behind", stays)).unwrap();
    let mut draft = kept(&earlier);
    draft.fields[0].value = Some(moves.key().to_string().as_str().into());
    session.change_record(earlier.id, 1, draft).unwrap();
    let now = session.add_record(acme, referring("Now", "Over", stays)).unwrap().id;
    let request = request(acme, &[earlier.id, now, moves], bauer);

    let preview = session.inspect_move(&request).unwrap();
    let cut: Vec<_> =
        preview.cut.iter().map(|cut| (cut.title.as_str(), cut.field_name.as_str(), cut.earlier)).collect();
    assert_eq!((cut, preview.cut_counted), (vec![("Earlier", "Behind", true), ("Now", "Over", false)], 2));
    assert!(preview.cut.iter().all(|cut| cut.refers_to == stays && cut.refers_to_title.as_deref() == Some("Stays")));
    run(&session, request);

    let there = |id: RecordId| session.open_record(RecordId::new(bauer, id.key())).unwrap();
    let led = there(earlier.id).fields[0].reference.clone().unwrap();
    assert_eq!((led.id, led.title.as_str()), (RecordId::new(bauer, moves.key()), "Moves"));
    assert!(there(now).fields[0].empty && there(now).fields[0].reference.is_none());
    let restored = session.restore_version(there(earlier.id).id, 1, 2).unwrap();
    assert!(restored.fields[0].empty, "no earlier version leads into the other tenant either");

    // What it leads to may follow later, and is found there by then.
    let late = session.add_record(acme, referring("Late", "Over", moves)).unwrap().id;
    let again = MoveRequest { records: vec![late], ..self::request(acme, &[late], bauer) };
    assert_eq!(session.inspect_move(&again).unwrap().cut_counted, 0);
    run(&session, again);
    assert_eq!(there(late).fields[0].reference.as_ref().unwrap().title, "Moves");
}

#[test]
fn moving_again_finishes_what_a_kill_left_in_both_and_nothing_comes_twice() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let first = session.add_record(acme, login_draft("Gate", "svc", "x")).unwrap();
    attach(&place, &session, first.id, "plan.txt", b"plan");
    let copy = MoveRequest { copy: true, ..request(acme, &[first.id], bauer) };
    // A copy is what a kill after the other tenant's write leaves.
    run(&session, copy.clone());
    let files = stored(&place);
    let preview = session.inspect_move(&request(acme, &[first.id], bauer)).unwrap();
    assert_eq!((preview.records, preview.present, preview.versions, preview.attachments), (1, 1, 0, 0));
    assert!(!run(&session, copy.clone()).moved[0].arrived);
    let report = run(&session, request(acme, &[first.id], bauer));
    assert_eq!((report.what.present, report.moved[0].arrived), (1, false));
    assert_eq!((titles(&session, acme).len(), titles(&session, bauer)), (0, vec!["Gate".to_owned()]));
    assert_eq!(stored(&place), files);

    // What was changed since here is another record: it comes beside the one there, and neither is lost.
    session.restore_record(first.id).unwrap();
    change(&session, &session.open_record(first.id).unwrap(), "changed since");
    let report = run(&session, request(acme, &[first.id], bauer));
    assert_ne!(report.moved[0].to.key(), first.id.key());
    assert_eq!(titles(&session, bauer), ["Gate", "Gate"]);

    // One in the trash there comes out of it.
    let crane = session.add_record(acme, login_draft("Crane", "svc", "x")).unwrap().id;
    run(&session, MoveRequest { copy: true, ..request(acme, &[crane], bauer) });
    session.trash_record(RecordId::new(bauer, crane.key())).unwrap();
    assert!(run(&session, request(acme, &[crane], bauer)).moved[0].arrived);
    assert_eq!((titles(&session, bauer).len(), trash(&session, bauer).len()), (3, 0));
    assert!(session.start_verify_log().unwrap().wait().unwrap().ok);
}

#[test]
fn what_has_the_name_and_length_of_an_attachment_and_not_its_content_is_not_taken_for_it() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let gate = session.add_record(acme, login_draft("Gate", "svc", "x")).unwrap().id;
    run(&session, MoveRequest { copy: true, ..request(acme, &[gate], bauer) });
    let there = RecordId::new(bauer, gate.key());
    attach(&place, &session, gate, "plan.txt", b"plan");
    fs::create_dir(place.path("other")).unwrap();
    attach(&place, &session, there, "other/plan.txt", b"fake");
    let moved = run(&session, request(acme, &[gate], bauer)).moved[0];
    assert_ne!(moved.to, there);
    let saved = place.path("saved");
    let attached = session.open_record(moved.to).unwrap().attachments[0].id;
    session.start_save_attachment(moved.to, attached, &saved).unwrap().wait().unwrap();
    assert_eq!(fs::read(saved).unwrap(), b"plan");
}

#[test]
fn the_log_says_of_both_tenants_what_was_read_what_came_and_what_went() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let ids = ["Gate", "Crane"].map(|title| session.add_record(acme, login_draft(title, "svc", "x")).unwrap().id);
    run(&session, request(acme, &ids, bauer));
    let entries = entries(&session);
    let of = |action: &str| entries.iter().find(|entry| entry.action == action).unwrap();
    let (sent, received, moved) = (of("records.sent"), of("records.received"), of("records.moved"));
    assert!(sent.index < received.index && received.index < moved.index);
    assert_eq!((sent.tenant, sent.record, sent.count), (Some(acme), Some(ids[0]), Some(2)));
    assert_eq!((received.tenant, received.count, received.entry), (Some(bauer), Some(2), Some(sent.index)));
    assert_eq!((moved.tenant, moved.record, moved.count), (Some(acme), Some(ids[0]), Some(2)));
    assert_eq!(moved.entry, Some(sent.index));
}

#[test]
fn a_move_is_taken_back_unless_the_record_was_changed_since() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let gate = session.add_record(acme, login_draft("Gate", "svc", "x")).unwrap();
    let moved = run(&session, request(acme, &[gate.id], bauer)).moved;
    assert_eq!(session.undo_move(&moved, false).unwrap().records, 1);
    assert_eq!((titles(&session, acme), titles(&session, bauer).len()), (vec!["Gate".to_owned()], 0));
    assert_eq!(session.open_record(gate.id).unwrap(), gate);

    // And done once more: what is in the trash there is what it was.
    let moved = run(&session, request(acme, &[gate.id], bauer)).moved;
    change(&session, &session.open_record(moved[0].to).unwrap(), "changed there");
    assert!(matches!(session.undo_move(&moved, false), Err(BulkError::VersionConflict)));
    assert_eq!((titles(&session, acme).len(), titles(&session, bauer).len()), (0, 1), "nothing of it was done");

    let crane = session.add_record(acme, login_draft("Crane", "svc", "x")).unwrap().id;
    let copied = run(&session, MoveRequest { copy: true, ..request(acme, &[crane], bauer) }).moved;
    session.undo_move(&copied, true).unwrap();
    assert_eq!((titles(&session, acme), titles(&session, bauer)), (vec!["Crane".to_owned()], vec!["Gate".to_owned()]));
}

#[test]
fn nothing_moves_without_the_other_tenants_name_or_out_of_the_trash_or_to_where_it_is() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let ids = ["Gate", "Crane"].map(|title| session.add_record(acme, login_draft(title, "svc", "x")).unwrap().id);
    let theirs = session.add_record(bauer, login_draft("Theirs", "svc", "x")).unwrap().id;
    session.trash_record(ids[1]).unwrap();
    let refused = |request: MoveRequest| session.start_move(&request).unwrap_err().code();
    for confirmation in ["", ACME, "bauer & co"] {
        let confirmation = confirmation.to_owned();
        assert_eq!(refused(MoveRequest { confirmation, ..request(acme, &ids[..1], bauer) }), "not_confirmed");
    }
    assert_eq!(refused(request(acme, &ids, bauer)), "not_found", "one of them is in the trash");
    assert_eq!(refused(request(acme, &ids[..1], acme)), "same_tenant");
    assert_eq!(refused(request(acme, &[], bauer)), "bulk_count");
    assert_eq!(refused(request(acme, &[ids[0], theirs], bauer)), "several_tenants");
    assert_eq!(refused(request(acme, &[theirs], bauer)), "several_tenants");
    assert_eq!((titles(&session, acme), titles(&session, bauer)), (vec!["Gate".to_owned()], vec!["Theirs".to_owned()]));
    assert!(entries(&session).iter().all(|entry| entry.action != "records.sent"));
}

#[test]
fn a_cancelled_move_leaves_no_record_and_no_file_in_the_other_tenant() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let gate = session.add_record(acme, login_draft("Gate", "svc", "x")).unwrap().id;
    attach(&place, &session, gate, "large.bin", &vec![5; 24 << 20]);
    let files = stored(&place);
    let job = session.start_move(&request(acme, &[gate], bauer)).unwrap();
    while job.progress().done == 0 {
        std::thread::yield_now();
    }
    job.cancel();
    assert!(matches!(job.wait(), Err(JobError::Cancelled)));
    assert_eq!((titles(&session, acme), titles(&session, bauer).len()), (vec!["Gate".to_owned()], 0));
    assert_eq!(stored(&place), files);
    // Both tenants are free again.
    session.add_record(bauer, login_draft("More", "svc", "x")).unwrap();
    session.add_record(acme, login_draft("More", "svc", "x")).unwrap();
}

#[test]
fn attack_34_a_record_of_another_tenant_or_of_none_is_moved_from_nowhere_and_asking_is_logged() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let (acme, bauer) = both(&session);
    let cardinal = tenant(&session, "Cardinal").id;
    let theirs = session.add_record(cardinal, login_draft("Theirs", "svc", "canary-1")).unwrap().id;
    let ours = session.add_record(acme, login_draft("Ours", "svc", "x")).unwrap().id;
    for key in [theirs.key(), RecordKey::from_bytes([7; 16])] {
        let named = request(acme, &[ours, RecordId::new(acme, key)], bauer);
        for refused in [session.inspect_move(&named).map(drop), session.start_move(&named).map(drop)] {
            assert!(matches!(refused, Err(MoveError::Bulk(BulkError::Call(CallError::NotFound)))));
        }
    }
    assert_eq!(refusals(&session, acme), 4);
    assert_eq!((titles(&session, bauer).len(), trash(&session, acme).len()), (0, 0));
    let elsewhere = [MovedRecord { from: ours, to: RecordId::new(bauer, theirs.key()), version: 1, arrived: true }];
    assert!(matches!(session.undo_move(&elsewhere, false), Err(BulkError::Call(CallError::NotFound))));
}

#[test]
fn attack_35_records_go_to_no_tenant_that_is_not_granted_and_asking_is_logged() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let (acme, bauer) = both(&founder);
    let gate = founder.add_record(acme, login_draft("Gate", "svc", "x")).unwrap().id;
    let otto = enrol(&place, founder, "otto", &[Role::Member]);
    otto.lock().unwrap();
    let founder = place.unlock();
    founder.grant(acme, account(&founder, "otto").id, Right::Steward, None).unwrap();
    founder.lock().unwrap();

    let otto = place.unlock_as("otto");
    for to in [bauer, TenantId::from_bytes([9; 16])] {
        for refused in [
            otto.inspect_move(&request(acme, &[gate], to)).map(drop),
            otto.start_move(&request(acme, &[gate], to)).map(drop),
        ] {
            assert_eq!(refused.unwrap_err().code(), "not_found", "whether there is one is nobody's business");
        }
    }
    assert_eq!(titles(&otto, acme), ["Gate"]);
    otto.lock().unwrap();
    let founder = place.unlock();
    assert_eq!((refusals(&founder, bauer), titles(&founder, bauer).len()), (2, 0));
}

#[test]
fn who_may_not_say_who_reads_a_tenant_takes_nothing_out_and_who_reads_the_other_puts_nothing_in() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let (acme, bauer) = both(&founder);
    let gate = founder.add_record(acme, login_draft("Gate", "svc", "x")).unwrap().id;
    enrol(&place, founder, "otto", &[Role::Member]).lock().unwrap();
    let (reader, editor, steward) = (Right::Reader, Right::Editor, Right::Steward);
    for (here, there, code) in [
        (reader, steward, Some("refused")),
        (editor, steward, Some("refused")),
        (steward, reader, Some("refused")),
        (steward, editor, None),
    ] {
        let founder = place.unlock();
        let otto = account(&founder, "otto").id;
        founder.grant(acme, otto, here, None).unwrap();
        founder.grant(bauer, otto, there, None).unwrap();
        founder.lock().unwrap();
        let otto = place.unlock_as("otto");
        let ran = otto.start_move(&request(acme, &[gate], bauer));
        assert_eq!(ran.as_ref().err().map(MoveError::code), code, "{here:?} {there:?}");
        if let Ok(job) = ran {
            assert_eq!(job.wait().unwrap().moved.len(), 1);
        }
        assert_eq!(titles(&otto, bauer).len(), usize::from(code.is_none()));
        otto.lock().unwrap();
    }
}

#[test]
fn a_tenant_that_waits_for_a_new_key_takes_nothing_in_and_lets_nothing_go_but_copies() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let (acme, bauer) = both(&founder);
    let gate = founder.add_record(acme, login_draft("Gate", "svc", "x")).unwrap().id;
    let theirs = founder.add_record(bauer, login_draft("Theirs", "svc", "x")).unwrap().id;
    enrol(&place, founder, "otto", &[Role::Administrator]).lock().unwrap();
    let ida = enrol(&place, place.unlock(), "ida", &[Role::Member]);
    ida.lock().unwrap();
    let founder = place.unlock();
    let ida = account(&founder, "ida").id;
    founder.grant(bauer, ida, Right::Reader, None).unwrap();
    founder.lock().unwrap();
    // Whoever takes the grant away is no steward, so that ida's key stays good until one comes.
    let otto = place.unlock_as("otto");
    otto.withdraw_grant(bauer, ida).unwrap();
    otto.lock().unwrap();

    let founder = place.unlock();
    let into = founder.start_move(&request(acme, &[gate], bauer)).unwrap_err();
    assert_eq!(into.code(), "awaits_rekey");
    let out_of = MoveRequest { confirmation: ACME.to_owned(), ..request(bauer, &[theirs], acme) };
    assert_eq!(founder.start_move(&out_of).unwrap_err().code(), "awaits_rekey");
    assert_eq!((titles(&founder, acme), titles(&founder, bauer)), (vec!["Gate".to_owned()], vec!["Theirs".to_owned()]));
    run(&founder, MoveRequest { copy: true, ..out_of });
    assert_eq!(titles(&founder, acme), ["Gate", "Theirs"]);
}
