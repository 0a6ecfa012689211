//! Leaving by a deadline, what a leaver has seen, and the evidence that it was put right.

use coffer_core::view::{AccountExposureView, ExposureCheckOutcome, ExposureWay, OffboardingView, RecordView};
use coffer_core::{CallError, ExportRequest, FreshAuthentication, LeaveError, Session, SetRolesError, UnlockError};
use coffer_model::account::{Role, Roles};
use coffer_model::event::ExportFormat;
use coffer_model::grant::Right;
use coffer_model::id::TenantId;
use coffer_model::time::Timestamp;
use coffer_tests::{Place, SetClock, account, enrol, fresh, kept, login_draft, passphrase_of, tenant};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

fn days_from_now(session: &Session, days: i64) -> Timestamp {
    let now = session.host().clock.now().unix_millis();
    Timestamp::from_unix_millis(now + days * DAY_MILLIS).unwrap()
}

fn exposures(session: &Session, tenant: TenantId) -> Vec<AccountExposureView> {
    let mut listed = session.start_exposures(Some(tenant), None).unwrap().wait().unwrap();
    assert_eq!(listed.len(), 1);
    listed.remove(0).accounts
}

fn told(account: &AccountExposureView) -> Vec<(&str, &str, ExposureWay)> {
    let secrets = account.secrets.iter();
    secrets.map(|secret| (secret.record.title.as_str(), secret.field_name.as_str(), secret.how)).collect()
}

fn change_password(session: &Session, record: &RecordView, to: &str) {
    let record = session.open_record(record.id).unwrap();
    let mut draft = kept(&record);
    draft.fields[1].value = Some(to.into());
    session.change_record(record.id, record.version, draft).unwrap();
}

/// A vault in which otto, a member, was granted ACME, with three secrets in it.
fn with_otto(place: &Place) -> (Session, TenantId, [RecordView; 3]) {
    let (founder, _kit) = place.create();
    let acme = tenant(&founder, "ACME GmbH");
    let records = ["Router", "Server", "VPN"]
        .map(|title| founder.add_record(acme.id, login_draft(title, "svc", &format!("first {title}"))).unwrap());
    enrol(place, founder, "otto", &[Role::Member]).lock().unwrap();
    let founder = place.unlock();
    founder.grant(acme.id, account(&founder, "otto").id, Right::Reader, None).unwrap();
    (founder, acme.id, records)
}

#[test]
fn what_a_leaver_saw_is_listed_until_it_is_changed() {
    let place = Place::new();
    let (founder, acme, [router, server, vpn]) = with_otto(&place);
    // The founder's own looking is nobody's exposure.
    founder.reveal_field(vpn.id, vpn.fields[1].id, None).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    otto.reveal_field(router.id, router.fields[1].id, None).unwrap();
    otto.reveal_field(server.id, server.fields[1].id, None).unwrap();
    // What is not masked is no secret.
    otto.reveal_field(vpn.id, vpn.fields[0].id, None).unwrap();
    assert!(matches!(otto.start_exposures(Some(acme), None), Err(CallError::Refused)));
    otto.lock().unwrap();

    let founder = place.unlock();
    assert!(exposures(&founder, acme).is_empty(), "he may still");
    let also = founder.start_exposures(Some(acme), Some(account(&founder, "otto").id)).unwrap().wait().unwrap();
    assert_eq!((also[0].accounts[0].open, also[0].accounts[0].ended_at), (2, None));
    founder.remove_account(account(&founder, "otto").id, false, fresh(&founder)).unwrap();
    founder.start_rekeying().wait().unwrap();
    let listed = exposures(&founder, acme);
    assert_eq!(listed.len(), 1);
    let of_otto = &listed[0];
    assert_eq!((of_otto.login.as_str(), of_otto.open, of_otto.changed, of_otto.could_read), ("otto", 2, 0, 1));
    assert!(of_otto.ended_at.is_some() && of_otto.secrets_by.is_some() && !of_otto.overdue);
    assert_eq!(
        told(of_otto),
        [
            ("Server", "Password", ExposureWay::Revealed),
            ("Router", "Password", ExposureWay::Revealed),
            ("VPN", "Password", ExposureWay::CouldRead)
        ]
    );
    // Another title is no other secret.
    let opened = founder.open_record(server.id).unwrap();
    founder.change_record(server.id, opened.version, login_draft_like(&opened, "Server (old)")).unwrap();
    assert_eq!(exposures(&founder, acme)[0].open, 2);
    change_password(&founder, &router, "second");
    let of_otto = exposures(&founder, acme).remove(0);
    assert_eq!((of_otto.open, of_otto.changed, of_otto.could_read), (1, 1, 1));
    // Set back to what was seen it is known once more.
    change_password(&founder, &router, "first Router");
    assert_eq!(exposures(&founder, acme)[0].open, 2);
    change_password(&founder, &router, "third");
    // In the trash a secret is still one that somebody knows; deleted for good it is nobody's any more.
    founder.trash_records(&[server.id]).unwrap();
    let of_otto = exposures(&founder, acme).remove(0);
    assert_eq!((of_otto.open, of_otto.secrets[0].trashed), (1, true));
    founder.purge_records(&[server.id]).unwrap();
    change_password(&founder, &vpn, "second");
    let of_otto = exposures(&founder, acme).remove(0);
    assert_eq!((of_otto.open, of_otto.changed, of_otto.could_read), (0, 1, 0));
    assert!(of_otto.secrets.is_empty());
    let actions: Vec<_> = founder.log_page(None, 200).unwrap().entries.into_iter().map(|entry| entry.action).collect();
    assert!(actions.iter().any(|action| action == "exposures.listed"));
}

fn login_draft_like(record: &RecordView, title: &str) -> coffer_model::record::RecordDraft {
    let mut draft = kept(record);
    title.clone_into(&mut draft.title);
    draft
}

#[test]
fn an_export_is_seen_whole_as_it_was_then() {
    let place = Place::new();
    let (founder, acme, [router, server, _]) = with_otto(&place);
    founder.grant(acme, account(&founder, "otto").id, Right::Steward, None).unwrap();
    change_password(&founder, &router, "second");
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    let request = ExportRequest::new(acme, place.path("out.csv"), ExportFormat::Csv);
    otto.start_export(request, fresh(&otto)).unwrap().wait().unwrap();
    otto.lock().unwrap();
    let founder = place.unlock();
    founder.add_record(acme, login_draft("Later", "svc", "not in the export")).unwrap();
    change_password(&founder, &server, "second");
    founder.withdraw_grant(acme, account(&founder, "otto").id).unwrap();
    founder.start_rekeying().wait().unwrap();
    let of_otto = exposures(&founder, acme).remove(0);
    // Router and VPN as exported; the server's is another by now, and could be read, as the later record's could.
    assert_eq!((of_otto.open, of_otto.changed, of_otto.could_read), (2, 1, 2), "{of_otto:?}");
    assert!(told(&of_otto)[..2].iter().all(|(_, _, how)| *how == ExposureWay::Exported));
    // The table had the newest value alone: the router's first one, set back, was not in it.
    change_password(&founder, &router, "first Router");
    let of_otto = exposures(&founder, acme).remove(0);
    assert_eq!((of_otto.open, of_otto.changed), (1, 2), "{of_otto:?}");
}

#[test]
fn whoever_entered_a_secret_knows_it() {
    let place = Place::new();
    let (founder, acme, [router, server, vpn]) = with_otto(&place);
    founder.grant(acme, account(&founder, "otto").id, Right::Editor, None).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    otto.add_record(acme, login_draft("Printer", "svc", "by otto")).unwrap();
    change_password(&otto, &router, "by otto");
    change_password(&otto, &vpn, "by otto");
    // He never saw what he left as it was.
    let opened = otto.open_record(server.id).unwrap();
    otto.change_record(server.id, opened.version, login_draft_like(&opened, "Server (old)")).unwrap();
    otto.lock().unwrap();
    let founder = place.unlock();
    change_password(&founder, &vpn, "by the founder");
    founder.withdraw_grant(acme, account(&founder, "otto").id).unwrap();
    founder.start_rekeying().wait().unwrap();
    let of_otto = exposures(&founder, acme).remove(0);
    assert_eq!((of_otto.open, of_otto.changed, of_otto.could_read), (2, 1, 2), "{of_otto:?}");
    let entered = [("Router", "Password", ExposureWay::Entered), ("Printer", "Password", ExposureWay::Entered)];
    assert_eq!(told(&of_otto)[..2], entered);
}

#[test]
fn an_account_that_is_to_leave_goes_on_until_then_and_no_longer() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, acme, _) = with_otto(&place);
    let otto_id = account(&founder, "otto").id;
    let (access_by, secrets_by) = (days_from_now(&founder, 1), days_from_now(&founder, 4));
    for (access, secrets) in [(days_from_now(&founder, -1), secrets_by), (secrets_by, access_by)] {
        let refused = founder.set_leaving(otto_id, Some(access), secrets, fresh(&founder));
        assert!(matches!(refused, Err(LeaveError::Times)));
    }
    assert!(matches!(founder.keep_account(otto_id, fresh(&founder)), Err(LeaveError::NotLeaving)));
    founder.set_leaving(otto_id, Some(access_by), secrets_by, fresh(&founder)).unwrap();
    let view = account(&founder, "otto");
    assert_eq!((view.access_by, view.secrets_by), (Some(access_by), Some(secrets_by)));
    founder.lock().unwrap();

    let otto = place.unlock_as("otto");
    assert_eq!(otto.tenants().unwrap().len(), 1);
    clock.set_days_ahead(2);
    // Also where it is unlocked already.
    assert!(matches!(
        otto.list_records(acme, 10, None),
        Err(coffer_core::ListRecordsError::Call(CallError::AccessEnded))
    ));
    otto.lock().unwrap();
    let refused = place.vault().unlock("otto", passphrase_of("otto"));
    assert!(matches!(refused, Err(UnlockError::AccessEnded { since }) if since == access_by), "{refused:?}");

    let founder = place.unlock();
    assert!(founder.offboarding(otto_id).unwrap().overdue);
    founder.keep_account(otto_id, fresh(&founder)).unwrap();
    assert_eq!(account(&founder, "otto").access_by, None);
    founder.lock().unwrap();
    place.unlock_as("otto").lock().unwrap();
}

#[test]
fn who_is_about_to_leave_is_not_counted_on() {
    let place = Place::new();
    let (founder, _kit) = place.create();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator, Role::Auditor]);
    let ines = account(&ida, "ines").id;
    ida.set_leaving(ines, Some(days_from_now(&ida, 1)), days_from_now(&ida, 2), fresh(&ida)).unwrap();
    let own = account(&ida, "ida").id;
    let itself = ida.set_leaving(own, Some(days_from_now(&ida, 1)), days_from_now(&ida, 2), fresh(&ida));
    assert!(matches!(itself, Err(LeaveError::Oneself)));
    let kept = ida.set_roles(own, Roles::of([Role::Auditor]), fresh(&ida));
    assert!(matches!(kept, Err(SetRolesError::LastAdministrator)));
    ida.lock().unwrap();
    // Nor can the one who leaves take that back, or put the other one out on the way.
    let founder = place.unlock();
    assert!(matches!(founder.keep_account(ines, fresh(&founder)), Err(LeaveError::Oneself)));
    let ida = account(&founder, "ida").id;
    let refused =
        founder.set_leaving(ida, Some(days_from_now(&founder, 1)), days_from_now(&founder, 2), fresh(&founder));
    assert!(matches!(refused, Err(LeaveError::LastAdministrator)), "{refused:?}");
}

#[test]
fn whose_access_has_ended_seconds_nothing() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, _kit) = place.create();
    enrol(&place, founder, "ida", &[Role::Administrator]).lock().unwrap();
    let founder = place.unlock();
    let ida = account(&founder, "ida").id;
    let access_by = days_from_now(&founder, 1);
    founder.set_leaving(ida, Some(access_by), days_from_now(&founder, 2), fresh(&founder)).unwrap();
    let seconded = |proof: &mut FreshAuthentication| founder.second(proof, "ida", &passphrase_of("ida").into());
    seconded(&mut fresh(&founder)).unwrap();
    clock.set_days_ahead(2);
    let refused = seconded(&mut fresh(&founder));
    assert!(matches!(refused, Err(UnlockError::AccessEnded { since }) if since == access_by), "{refused:?}");
    let newest = founder.log_page(None, 20).unwrap().entries;
    let actions: Vec<_> = newest.iter().map(|entry| entry.action.as_str()).collect();
    assert!(actions.contains(&"vault.unlock_failed"), "{actions:?}");
}

#[test]
fn the_evidence_says_what_is_done_and_what_is_not() {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (founder, acme, [router, ..]) = with_otto(&place);
    let otto_id = account(&founder, "otto").id;
    founder.set_roles(otto_id, Roles::of([Role::Member, Role::Auditor]), fresh(&founder)).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    otto.reveal_field(router.id, router.fields[1].id, None).unwrap();
    otto.lock().unwrap();
    // Ida administers and has no grant: the evidence is for her.
    let founder = place.unlock();
    let ida = enrol(&place, founder, "ida", &[Role::Administrator]);
    let before = ida.offboarding(otto_id).unwrap();
    assert!(before.left_at.is_none() && !before.complete && !before.overdue);
    ida.remove_account(otto_id, false, fresh(&ida)).unwrap();
    let left = ida.offboarding(otto_id).unwrap();
    assert_eq!(left.removed_by.as_deref(), Some("ida"));
    assert_eq!(open_keys(&left), 3);
    assert!(left.tenants[0].ended_at.is_some() && left.tenants[0].rekeyed_at.is_none());
    assert_eq!(left.tenants[0].tenant_name.as_deref(), Some("ACME GmbH"));
    ida.start_rekeying().wait().unwrap();
    assert_eq!(open_keys(&ida.offboarding(otto_id).unwrap()), 1, "the log's key is an auditor's");
    assert!(matches!(ida.start_exposure_report(acme, otto_id), Err(CallError::NotFound)));
    ida.lock().unwrap();

    let founder = place.unlock();
    founder.start_rekeying().wait().unwrap();
    let report = founder.start_exposure_report(acme, otto_id).unwrap().wait().unwrap();
    assert_eq!((report.open, report.could_read), (1, 2));
    assert!(report.reported_at.is_some());
    assert!(founder.start_exposure_report(acme, account(&founder, "ida").id).unwrap().wait().is_err());
    founder.lock().unwrap();
    let ida = place.unlock_as("ida");
    let view = ida.offboarding(otto_id).unwrap();
    assert_eq!(open_keys(&view), 0);
    assert!(view.tenants[0].rekeyed_at.is_some());
    let reported = view.tenants[0].report.as_ref().unwrap();
    assert_eq!((reported.by.as_deref(), reported.open, reported.changed), (Some("ines"), 1, 0));
    assert!(!view.complete && !view.overdue);
    clock.set_days_ahead(8);
    assert!(ida.offboarding(otto_id).unwrap().overdue, "seven days are over");
    // More time is given to it, by whoever administers.
    ida.set_leaving(otto_id, None, days_from_now(&ida, 2), fresh(&ida)).unwrap();
    let again = ida.set_leaving(otto_id, Some(days_from_now(&ida, 1)), days_from_now(&ida, 2), fresh(&ida));
    assert!(matches!(again, Err(LeaveError::HasLeft)));
    assert!(!ida.offboarding(otto_id).unwrap().overdue);
    ida.lock().unwrap();

    let founder = place.unlock();
    assert!(!exposures(&founder, acme)[0].overdue);
    change_password(&founder, &router, "second");
    founder.start_exposure_report(acme, otto_id).unwrap().wait().unwrap();
    founder.lock().unwrap();
    let ida = place.unlock_as("ida");
    let view = ida.offboarding(otto_id).unwrap();
    assert!(view.complete && !view.overdue, "{view:?}");
    ida.lock().unwrap();
    // A member learns nothing of it.
    let founder = place.unlock();
    let eva = enrol(&place, founder, "eva", &[Role::Member]);
    assert!(matches!(eva.offboarding(otto_id), Err(LeaveError::Call(CallError::Refused))));
}

#[test]
fn what_was_reported_is_held_against_the_log() {
    let place = Place::new();
    let (founder, acme, [router, server, _]) = with_otto(&place);
    let otto_id = account(&founder, "otto").id;
    founder.grant(acme, otto_id, Right::Steward, None).unwrap();
    founder.lock().unwrap();
    let otto = place.unlock_as("otto");
    otto.reveal_field(router.id, router.fields[1].id, None).unwrap();
    otto.reveal_field(server.id, server.fields[1].id, None).unwrap();
    otto.reveal_field(server.id, server.fields[0].id, None).unwrap();
    let request = ExportRequest::new(acme, place.path("out.csv"), ExportFormat::Csv);
    otto.start_export(request, fresh(&otto)).unwrap().wait().unwrap();
    assert!(matches!(otto.start_exposure_check(otto_id), Err(CallError::Refused)));
    otto.lock().unwrap();

    let founder = place.unlock();
    let check = |session: &Session| session.start_exposure_check(otto_id).unwrap().wait().unwrap();
    assert_eq!(check(&founder).outcome, ExposureCheckOutcome::Agrees, "he has lost nothing yet");
    founder.remove_account(otto_id, false, fresh(&founder)).unwrap();
    founder.start_rekeying().wait().unwrap();
    let view = check(&founder);
    assert_eq!((view.outcome, view.tenants[0].reported_at), (ExposureCheckOutcome::Incomplete, None));
    assert_eq!(view.tenants[0].since, 3);
    founder.start_exposure_report(acme, otto_id).unwrap().wait().unwrap();
    let view = check(&founder);
    assert_eq!((view.outcome, view.login.as_str()), (ExposureCheckOutcome::Agrees, "otto"), "{view:?}");
    let tenant = &view.tenants[0];
    assert_eq!((tenant.agreed, tenant.gone, tenant.since, tenant.reported_by.as_deref()), (3, 0, 0, Some("ines")));
    // What is deleted for good leaves the list, not the evidence.
    founder.trash_records(&[server.id]).unwrap();
    founder.purge_records(&[server.id]).unwrap();
    founder.start_exposure_report(acme, otto_id).unwrap().wait().unwrap();
    founder.lock().unwrap();

    // An auditor who reads no tenant sees the same; an administrator who is none reads no log.
    let anna = enrol(&place, place.unlock(), "anna", &[Role::Auditor]);
    anna.lock().unwrap();
    place.unlock().lock().unwrap();
    let anna = place.unlock_as("anna");
    let view = check(&anna);
    assert_eq!(view.outcome, ExposureCheckOutcome::Agrees, "{view:?}");
    assert_eq!((view.tenants[0].agreed, view.tenants[0].gone), (3, 1));
    assert_eq!(view.tenants[0].tenant_name.as_deref(), Some("ACME GmbH"));
    let entries = anna.log_page(None, 20).unwrap().entries;
    let checked = entries.iter().find(|entry| entry.action == "exposures.checked").unwrap();
    assert_eq!((checked.actor.as_deref(), checked.account.as_deref()), (Some("anna"), Some("otto")));
    anna.lock().unwrap();
    let ida = enrol(&place, place.unlock(), "ida", &[Role::Administrator]);
    assert!(matches!(ida.start_exposure_check(otto_id), Err(CallError::Refused)));
}

fn open_keys(view: &OffboardingView) -> usize {
    view.keys.iter().filter(|key| key.replaced_at.is_none()).count()
}
