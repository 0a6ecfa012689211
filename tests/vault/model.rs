//! A vault against a model of it: whatever is saved, changed, trashed, restored, purged and locked in whatever order, the
//! vault holds what a plain list in memory holds, every version of it, and finds it, but for what is in the trash.

use std::collections::BTreeSet;

use coffer_core::{BulkError, CallError, SaveRecordError, Session};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::query::Query;
use coffer_tests::{Place, kept, login_draft, tenant};
use proptest::prelude::*;

/// What may happen next. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Add { tenant: usize, title: usize, password: u8 },
    Change { record: usize, title: Option<usize>, password: Option<u8>, stale: bool },
    Trash { record: usize },
    Restore { record: usize },
    Purge { record: usize },
    RestoreVersion { record: usize, version: usize },
    LockAndUnlock,
}

/// Titles that fold to the same text, contain one another, or sort apart.
const TITLES: [&str; 8] = ["Gate", "gäte", "GATE 2", "Straße", "strasse", "日本", "a", "Zebra; \"quoted\""];

fn step() -> impl Strategy<Value = Step> {
    let add = (0..2_usize, 0..TITLES.len(), any::<u8>());
    let change =
        (any::<usize>(), prop::option::of(0..TITLES.len()), prop::option::of(any::<u8>()), prop::bool::weighted(0.1));
    prop_oneof![
        5 => add.prop_map(|(tenant, title, password)| Step::Add { tenant, title, password }),
        5 => change.prop_map(|(record, title, password, stale)| Step::Change { record, title, password, stale }),
        2 => any::<usize>().prop_map(|record| Step::Trash { record }),
        1 => any::<usize>().prop_map(|record| Step::Restore { record }),
        1 => any::<usize>().prop_map(|record| Step::Purge { record }),
        1 => any::<(usize, usize)>().prop_map(|(record, version)| Step::RestoreVersion { record, version }),
        1 => Just(Step::LockAndUnlock),
    ]
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    List,
    Trash,
    Nowhere,
}

/// A record and all its versions: title and password of each.
struct Modelled {
    id: RecordId,
    place: Where,
    versions: Vec<(String, String)>,
}

/// Does a step to the record it is about, if the model says that it is where the step needs it; else it must be refused.
fn move_one(
    record: &mut Modelled,
    [from, to]: [Where; 2],
    step: impl FnOnce(RecordId) -> Result<coffer_core::view::BulkView, BulkError>,
) {
    let done = step(record.id);
    if record.place == from {
        assert_eq!(done.unwrap().records, 1);
        record.place = to;
    } else {
        assert!(matches!(done, Err(BulkError::Call(CallError::NotFound))), "{done:?}");
    }
}

fn take(session: &Session, tenants: &[TenantId], model: &mut Vec<Modelled>, step: &Step) {
    match *step {
        Step::LockAndUnlock => {}
        Step::Add { tenant, title, password } => {
            let version = (TITLES[title].to_owned(), format!("pw-{password}"));
            let added = session.add_record(tenants[tenant], login_draft(&version.0, "ines", &version.1)).unwrap();
            model.push(Modelled { id: added.id, place: Where::List, versions: vec![version] });
        }
        Step::Change { .. }
        | Step::Trash { .. }
        | Step::Restore { .. }
        | Step::Purge { .. }
        | Step::RestoreVersion { .. }
            if model.is_empty() => {}
        Step::Trash { record } => {
            let index = record % model.len();
            move_one(&mut model[index], [Where::List, Where::Trash], |id| session.trash_record(id));
        }
        Step::Restore { record } => {
            let index = record % model.len();
            move_one(&mut model[index], [Where::Trash, Where::List], |id| session.restore_record(id));
        }
        Step::Purge { record } => {
            let index = record % model.len();
            move_one(&mut model[index], [Where::Trash, Where::Nowhere], |id| session.purge_record(id));
        }
        Step::RestoreVersion { record, version } => {
            let index = record % model.len();
            let record = &mut model[index];
            let newest = u32::try_from(record.versions.len()).unwrap();
            let version = version % record.versions.len();
            let restored = session.restore_version(record.id, u32::try_from(version).unwrap() + 1, newest);
            match record.place {
                Where::List => {
                    restored.unwrap();
                    record.versions.push(record.versions[version].clone());
                }
                Where::Trash => assert!(matches!(restored, Err(SaveRecordError::Trashed)), "{restored:?}"),
                Where::Nowhere => assert!(restored.is_err()),
            }
        }
        Step::Change { record, title, password, stale } => {
            let index = record % model.len();
            let record = &mut model[index];
            if record.place != Where::List {
                assert_eq!(session.open_record(record.id).is_ok(), record.place == Where::Trash);
                return;
            }
            let newest = u32::try_from(record.versions.len()).unwrap();
            let mut draft = kept(&session.open_record(record.id).unwrap());
            let (mut next_title, mut next_password) = record.versions.last().unwrap().clone();
            if let Some(title) = title {
                TITLES[title].clone_into(&mut next_title);
                draft.title.clone_from(&next_title);
            }
            if let Some(password) = password {
                next_password = format!("pw-{password}");
                draft.fields[1].value = Some(next_password.as_str().into());
            }
            if stale {
                let refused = session.change_record(record.id, newest - 1, draft);
                assert!(matches!(refused, Err(SaveRecordError::VersionConflict)), "{refused:?}");
            } else {
                session.change_record(record.id, newest, draft).unwrap();
                record.versions.push((next_title, next_password));
            }
        }
    }
}

fn holds(session: &Session, tenants: &[TenantId], model: &[Modelled]) {
    for &tenant in tenants {
        let expected = |place| -> BTreeSet<RecordId> {
            let there = model.iter().filter(|record| record.id.tenant() == tenant && record.place == place);
            there.map(|record| record.id).collect()
        };
        let page = session.list_records(tenant, 1_000, None).unwrap();
        assert_eq!(page.total, page.records.len() as u64);
        assert_eq!(page.records.iter().map(|row| row.id).collect::<BTreeSet<_>>(), expected(Where::List));
        let trash = session.list_trash(tenant, 1_000, None, 0).unwrap();
        assert_eq!(trash.total, trash.records.len() as u64);
        assert_eq!(trash.records.iter().map(|row| row.record.id).collect::<BTreeSet<_>>(), expected(Where::Trash));
    }
    for record in model {
        if record.place == Where::Nowhere {
            assert!(matches!(session.open_record(record.id), Err(CallError::NotFound)));
            continue;
        }
        let opened = session.open_record(record.id).unwrap();
        let (title, _) = record.versions.last().unwrap();
        assert_eq!((&opened.title, opened.version as usize), (title, record.versions.len()));
        for (version, (_, password)) in (1..).zip(&record.versions) {
            let revealed = session.reveal_field(record.id, opened.fields[1].id, Some(version)).unwrap();
            assert_eq!(revealed.expose(), password);
        }
        let titles_changed = record.versions.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
        let history = session.record_history(record.id).unwrap();
        let told = history.iter().flat_map(|version| &version.changes).filter(|change| change.what == "title").count();
        assert_eq!((history.len(), told), (record.versions.len(), titles_changed));
        if title.chars().count() > 1 {
            let found = session.search(&Query::parse_unfinished(title), Some(record.id.tenant()), 500).unwrap();
            let is_found = found.hits.iter().any(|hit| hit.record.id == record.id);
            assert_eq!(is_found, record.place == Where::List, "{title}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_holds_what_a_list_in_memory_holds(steps in prop::collection::vec(step(), 1..40)) {
        let place = Place::new();
        let (mut session, _kit) = place.create();
        let tenants = [tenant(&session, "ACME GmbH").id, tenant(&session, "Bauer & Co").id];
        let mut model = Vec::new();
        for step in &steps {
            if matches!(step, Step::LockAndUnlock) {
                session.lock().unwrap();
                session = place.unlock();
            }
            take(&session, &tenants, &mut model, step);
        }
        holds(&session, &tenants, &model);
        let report = session.start_verify_log().unwrap().wait().unwrap();
        prop_assert!(report.ok, "{report:?}");
    }
}
