//! A vault against a model of it: whatever is saved, changed and locked in whatever order, the vault holds what a plain
//! list in memory holds, every version of it, and finds it.

use coffer_core::{SaveRecordError, Session};
use coffer_model::id::{RecordId, TenantId};
use coffer_model::query::Query;
use coffer_tests::{Place, kept, login_draft, tenant};
use proptest::prelude::*;

/// What may happen next. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Add { tenant: usize, title: usize, password: u8 },
    Change { record: usize, title: Option<usize>, password: Option<u8>, stale: bool },
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
        1 => Just(Step::LockAndUnlock),
    ]
}

/// A record and all its versions: title and password of each.
struct Modelled {
    id: RecordId,
    versions: Vec<(String, String)>,
}

fn take(session: &Session, tenants: &[TenantId], model: &mut Vec<Modelled>, step: &Step) {
    match *step {
        Step::LockAndUnlock => {}
        Step::Add { tenant, title, password } => {
            let version = (TITLES[title].to_owned(), format!("pw-{password}"));
            let added = session.add_record(tenants[tenant], login_draft(&version.0, "ines", &version.1)).unwrap();
            model.push(Modelled { id: added.id, versions: vec![version] });
        }
        Step::Change { .. } if model.is_empty() => {}
        Step::Change { record, title, password, stale } => {
            let index = record % model.len();
            let record = &mut model[index];
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
        let expected = model.iter().filter(|record| record.id.tenant() == tenant).count();
        let page = session.list_records(tenant, 1_000, None).unwrap();
        assert_eq!((page.records.len(), page.total), (expected, expected as u64));
    }
    for record in model {
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
            assert!(found.hits.iter().any(|hit| hit.record.id == record.id), "{title}");
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
