//! Queries against a tenant's database: operators, numbers, tags; and a naive reading of the same records, which the
//! engine has to agree with.

use coffer_model::query::{Condition, Query, Term};

use super::*;

/// A record of these tests.
#[derive(Clone, Debug)]
struct Given {
    kind: &'static str,
    title: String,
    fields: Vec<(&'static str, FieldType, String)>,
    tags: Vec<String>,
}

impl Given {
    fn new(title: &str) -> Self {
        Self { kind: "login", title: title.to_owned(), fields: Vec::new(), tags: Vec::new() }
    }

    fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    fn field(mut self, name: &'static str, field_type: FieldType, value: &str) -> Self {
        self.fields.push((name, field_type, value.to_owned()));
        self
    }

    fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }

    fn content(&self) -> RecordContent {
        let fields = self.fields.iter().map(|(name, field_type, value)| FieldDraft {
            id: None,
            name: (*name).to_owned(),
            field_type: *field_type,
            value: Some(value.as_str().into()),
        });
        let draft = RecordDraft {
            kind: self.kind.parse().unwrap(),
            title: self.title.clone(),
            fields: fields.collect(),
            tags: self.tags.clone(),
            notes: String::new(),
        };
        RecordContent::parse(draft, None).unwrap()
    }
}

/// A tenant with these records, each changed a day after the one before, from 2026-01-01 on.
fn tenant_of(records: &[Given]) -> Bench {
    const DAY_MILLIS: i64 = 86_400_000;
    let mut bench = Bench::new();
    let first: i64 = "2026-01-01T12:00:00Z".parse::<Timestamp>().unwrap().unix_millis();
    for (number, record) in (0_u8..).zip(records) {
        let mut tx = bench.store.begin(at(first + i64::from(number) * DAY_MILLIS), WHO).unwrap();
        tx.insert_record(key(number), &record.content()).unwrap();
        tx.commit(number.into()).unwrap();
    }
    bench
}

/// As [`tenant_of`], where each record was another one before.
fn tenant_of_changed(records: &[Given], before: &[Given]) -> Bench {
    let mut bench = tenant_of(before);
    for (number, record) in (0_u8..).zip(records) {
        let was = bench.store.record(key(number), None).unwrap().unwrap();
        let mut tx = bench.store.begin(was.changed_at, WHO).unwrap();
        tx.update_record(key(number), 1, &record.content()).unwrap();
        tx.commit(u64::try_from(before.len()).unwrap() + u64::from(number)).unwrap();
    }
    bench
}

fn found(bench: &Bench, text: &str) -> Vec<String> {
    let query: Query = text.parse().unwrap();
    let query = SearchQuery::new(&query).unwrap();
    bench.store.search(&query, 500).unwrap().records.into_iter().map(|record| record.title).collect()
}

fn office() -> Bench {
    tenant_of(&[
        Given::new("gate").tag("Netz").tag("old stuff").field("Host", FieldType::Text, "gw1.acme.example"),
        Given::new("harbour gate").kind("server").tag("netz").field("Host", FieldType::Text, "db1.acme"),
        Given::new("gatekeeper").kind("contact").field("Phone", FieldType::Phone, "+49 (0)30 1234-567"),
        Given::new("crane").kind("licence").field("Serial", FieldType::Text, "DE-0047112"),
        Given::new("safe").field("PIN", FieldType::Secret, "4711").field("API key", FieldType::Text, "gw1"),
    ])
}

#[test]
fn operators_narrow_and_exclude() {
    let bench = office();
    for (query, titles) in [
        ("gat", &["gate", "gatekeeper", "harbour gate"][..]),
        ("\"gate\"", &["gate", "harbour gate"]),
        ("\"harbour gate\"", &["harbour gate"]),
        ("\"gate harbour\"", &[]),
        ("tag:netz", &["harbour gate", "gate"]),
        ("tag:net", &[]),
        ("tag:\"OLD stuff\"", &["gate"]),
        ("gat -tag:netz", &["gatekeeper"]),
        ("-tag:netz", &["safe", "crane", "gatekeeper"]),
        ("-tag:netz -kind:login", &["crane", "gatekeeper"]),
        ("kind:server", &["harbour gate"]),
        ("field:host", &["harbour gate", "gate"]),
        ("field:pin", &["safe"]),
        ("field:host=gw1", &["gate"]),
        ("field:host=ACME", &["harbour gate", "gate"]),
        ("field:host=cme", &[]),
        ("field:\"api key\"=gw1", &["safe"]),
        ("field:api", &[]),
        ("field:pin=4711", &[]),
        ("-field:host=gw1 tag:netz", &["harbour gate"]),
        ("-field:host=gw1 -field:phone", &["safe", "crane", "harbour gate"]),
        ("before:2026-01-02", &["gate"]),
        ("after:2026-01-04", &["safe", "crane"]),
        ("-before:2026-01-02 -after:2026-01-04", &["gatekeeper", "harbour gate"]),
        ("gat after:2026-01-02 before:2026-01-03", &["harbour gate"]),
        ("before:2026-01-01", &[]),
    ] {
        let mut expected = titles.to_vec();
        let mut got = found(&bench, query);
        if query == "gat" {
            got.sort();
            expected.sort_unstable();
        }
        assert_eq!(got, expected, "{query}");
    }
}

#[test]
fn parts_of_numbers_are_found_whatever_stands_between_their_digits() {
    let bench = office();
    for (query, titles) in [
        ("4711", &["crane"][..]),
        ("47112", &["crane"]),
        ("de0047", &["crane"]),
        ("DE-0047", &["crane"]),
        ("471", &["crane"]),
        ("71", &[]),
        ("49301234567", &["gatekeeper"]),
        ("+49 30 1234 567", &["gatekeeper"]),
        ("+49 (0)30 12", &["gatekeeper"]),
        ("30/12 34 56", &["gatekeeper"]),
        ("gate 234567", &[]),
        ("gatekeeper 234567", &["gatekeeper"]),
        ("234567 gatek", &["gatekeeper"]),
        ("234567 kind:contact", &["gatekeeper"]),
        ("234567 -kind:contact", &[]),
        ("234567 -kind:login", &["gatekeeper"]),
        ("471 before:2026-01-04", &[]),
        ("471 field:serial", &["crane"]),
        ("\"4711\"", &[]),
        ("-4711 kind:licence", &["crane"]),
        ("4567112", &[]),
    ] {
        assert_eq!(found(&bench, query), titles, "{query}");
    }
}

#[test]
fn numbers_of_secrets_are_in_no_index() {
    let bench = tenant_of(&[Given::new("safe").field("PIN", FieldType::Secret, "88414711")]);
    assert_eq!(found(&bench, "8414"), [""; 0]);
    let rows: i64 =
        bench.store.connection.query_row("SELECT count(*) FROM number_docsize", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn a_record_changed_is_found_by_its_new_tags_and_numbers_only() {
    let mut bench = office();
    let new = Given::new("crane").tag("yard").field("Serial", FieldType::Text, "FR-99881").content();
    bench.write(|tx| {
        tx.update_record(key(3), 1, &new).unwrap();
    });
    assert_eq!(found(&bench, "9988"), ["crane"]);
    assert_eq!(found(&bench, "4711"), [""; 0]);
    assert_eq!(found(&bench, "kind:licence"), [""; 0]);
    let tags = bench.store.tags().unwrap();
    let told: Vec<_> = tags.iter().map(|tag| (tag.tag.as_str(), tag.records)).collect();
    assert_eq!(told, [("netz", 2), ("old stuff", 1), ("yard", 1)], "as the newest of them writes it");
}

#[test]
fn a_secret_that_changes_alone_is_no_work_for_any_index() {
    let of = |pin: &str| {
        Given::new("safe")
            .tag("yard")
            .field("Serial", FieldType::Text, "FR-99881")
            .field("PIN", FieldType::Secret, pin)
            .content()
    };
    let mut bench = Bench::new();
    bench.add(0, &of("4711"));
    let blocks = |bench: &Bench| -> Vec<Vec<u8>> {
        let sql = "SELECT block FROM search_data UNION ALL SELECT block FROM number_data";
        let mut query = bench.store.connection.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let before = blocks(&bench);
    bench.write(|tx| {
        tx.update_record(key(0), 1, &of("0815")).unwrap();
    });
    assert_eq!(blocks(&bench), before);
    let other = Given::new("other safe").tag("yard").field("Serial", FieldType::Text, "FR-99881").content();
    bench.write(|tx| {
        tx.update_record(key(0), 2, &other).unwrap();
    });
    assert_ne!(blocks(&bench), before, "what is compared is where words are kept");
}

#[test]
fn a_tag_changes_on_every_record_or_on_none() {
    let mut bench = office();
    let retag = |to: Option<&'static str>| {
        move |content: &RecordContent, is_it: &dyn Fn(&str) -> bool| -> Result<RecordContent, ChangeError> {
            let kept = content.tags().iter().filter(|tag| !is_it(tag)).map(String::as_str);
            Ok(content.with_other_tags(kept.chain(to).map(str::to_owned).collect()).unwrap())
        }
    };
    let stopped = {
        let mut tx = bench.store.begin(at(0), WHO).unwrap();
        let mut left = 1;
        let stop_at_second = || {
            left -= 1;
            if left < 0 { Err(ChangeError::NotFound) } else { Ok(()) }
        };
        tx.change_tag("NETZ", stop_at_second, retag(Some("network")))
    };
    assert!(stopped.is_err());
    assert_eq!(found(&bench, "tag:netz"), ["harbour gate", "gate"], "nothing of it happened");

    bench.write(|tx| assert_eq!(tx.change_tag("NETZ", || Ok(()), retag(Some("network"))).unwrap(), 2));
    assert_eq!(found(&bench, "tag:network"), ["harbour gate", "gate"]);
    assert_eq!(found(&bench, "tag:netz"), [""; 0]);
    let changed = bench.store.record(key(0), None).unwrap().unwrap();
    assert_eq!((changed.version, changed.content.tags()), (2, &["network".to_owned(), "old stuff".to_owned()][..]));
    bench.write(|tx| assert_eq!(tx.change_tag("old stuff", || Ok(()), retag(None)).unwrap(), 1));
    bench.write(|tx| assert_eq!(tx.change_tag("old stuff", || Ok(()), retag(None)).unwrap(), 0));
    assert_eq!(bench.store.tags().unwrap().len(), 1);
}

#[test]
fn tags_are_counted_from_their_index_alone() {
    let bench = Bench::new();
    let mut query = bench
        .store
        .connection
        .prepare("EXPLAIN QUERY PLAN SELECT count(*) FROM tag GROUP BY folded ORDER BY folded")
        .unwrap();
    let plan: Vec<String> = query.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
    assert_eq!(plan, ["SCAN tag USING COVERING INDEX tag_by_name"]);
}

#[test]
fn hits_are_read_as_they_are_asked_for() {
    let bench = Bench::new();
    for sql in ["search WHERE search MATCH 'a'", "search", "number WHERE number MATCH 'abc'"] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT r.key FROM (SELECT rowid AS id FROM {sql} ORDER BY rowid DESC LIMIT -1) hit
             CROSS JOIN record r ON r.id = hit.id"
        );
        let mut query = bench.store.connection.prepare(&sql).unwrap();
        let plan: Vec<String> = query.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
        let plan = plan.join("; ");
        assert!(!plan.contains("TEMP B-TREE") && plan.contains("CO-ROUTINE"), "{plan}");
    }
}

// ---- The naive reading ----

fn plain(text: &str) -> String {
    text.to_lowercase().replace('ä', "a")
}

fn tokens(text: &str) -> Vec<String> {
    plain(text).split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The parts of `word` one after the other in one of `texts`; the last as a beginning, if it may be one.
fn occurs(texts: &[String], word: &str, as_beginning: bool) -> bool {
    let word = tokens(word);
    let (last, start) = word.split_last().unwrap();
    texts.iter().any(|text| {
        tokens(text).windows(word.len()).any(|part| {
            let (part_last, part_start) = part.split_last().unwrap();
            part_start == start && if as_beginning { part_last.starts_with(last) } else { part_last == last }
        })
    })
}

fn number_of(text: &str) -> Option<String> {
    let text: String = plain(text).replace("(0)", "").chars().filter(|c| c.is_alphanumeric()).collect();
    (text.bytes().filter(u8::is_ascii_digit).count() >= 3).then_some(text)
}

fn naive(record: &Given, day: u8, query: &Query) -> bool {
    let open: Vec<&(&str, FieldType, String)> =
        record.fields.iter().filter(|(_, field_type, _)| *field_type != FieldType::Secret).collect();
    let values = open.iter().map(|(.., value)| value.as_str()).collect::<Vec<_>>().join("\n");
    let texts = [record.title.clone(), values, record.tags.join("\n")];
    let holds = |place: usize, term: &Term| match &term.condition {
        Condition::Word(word) => {
            let as_beginning = query.beginning() == Some(place) && plain(word).len() > 1;
            occurs(&texts, word, as_beginning)
        }
        Condition::Phrase { text, .. } => occurs(&texts, text, false),
        Condition::Tag(tag) => record.tags.iter().any(|own| plain(own) == plain(tag)),
        Condition::Kind(kind) => kind.as_str() == record.kind,
        Condition::Field { name, value: None } => record.fields.iter().any(|(own, ..)| plain(own) == plain(name)),
        Condition::Field { name, value: Some(value) } => open.iter().any(|(own, _, said)| {
            let (said, value) = (plain(said), plain(value));
            let value = value.trim_matches(|c: char| !c.is_alphanumeric());
            plain(own) == plain(name)
                && said.match_indices(value).any(|(at, _)| {
                    let starts = !said[..at].ends_with(char::is_alphanumeric);
                    starts && (value.len() > 1 || !said[at + value.len()..].starts_with(char::is_alphanumeric))
                })
        }),
        Condition::Before(before) => format!("2026-01-{:02}", day + 1) < before.to_string(),
        Condition::After(after) => format!("2026-01-{:02}", day + 1) >= after.to_string(),
    };
    let terms: Vec<(usize, &Term)> = query.terms().iter().enumerate().collect();
    let all_but = |left_out: &[usize]| {
        terms.iter().all(|(place, term)| left_out.contains(place) || holds(*place, term) != term.excluded)
    };
    let in_a_number = |places: &[usize], digits: &str| {
        let is_number = |(_, field_type, value): &&&(&str, FieldType, String)| {
            matches!(field_type, FieldType::Text | FieldType::Phone)
                && number_of(value).is_some_and(|number| number.contains(digits))
        };
        open.iter().any(|field| is_number(&field)) && all_but(places)
    };
    // The first number: words of digits beside each other, or one word with three digits.
    let mut place = 0;
    let word = |place: usize| match terms.get(place) {
        Some((_, Term { excluded: false, condition: Condition::Word(word) })) => Some(word.as_str()),
        _ => None,
    };
    let only_digits = |word: &str| plain(word).chars().filter(|c| c.is_alphanumeric()).all(|c| c.is_ascii_digit());
    while place < terms.len() {
        let Some(first) = word(place) else {
            place += 1;
            continue;
        };
        let mut places = vec![place];
        let mut text = first.to_owned();
        if only_digits(first) {
            while let Some(next) = word(place + places.len()).filter(|next| only_digits(next)) {
                text.push_str(next);
                places.push(place + places.len());
            }
        }
        place += places.len();
        if let Some(digits) = number_of(&text) {
            return all_but(&[]) || in_a_number(&places, &digits);
        }
    }
    all_but(&[])
}

fn given() -> impl Strategy<Value = Given> {
    let value = prop_oneof!["[abä]{1,4}([ .][ab12]{1,3}){0,2}", "[0-9]{1,3}[ -]?[0-9]{2,4}", "[a-b]{2}-[0-2]{3,5}"];
    let field_type = prop_oneof![Just(FieldType::Text), Just(FieldType::Secret)];
    let field = (prop_oneof![Just("Host"), Just("PIN"), Just("a b")], field_type, value);
    (
        prop_oneof![Just("login"), Just("note"), Just("server")],
        "[abä]{1,4}( [ab1]{1,4}){0,2}",
        prop::collection::vec(field, 0..3),
        prop::collection::vec("[aäB]{1,2}( b)?", 0..3),
    )
        .prop_map(|(kind, title, mut fields, mut tags)| {
            fields.sort_by_key(|(name, ..)| *name);
            fields.dedup_by_key(|(name, ..)| *name);
            // As a record keeps them: a phrase may go from one to the next.
            tags.sort();
            tags.dedup();
            Given { kind, title, fields, tags }
        })
}

fn term() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        6 => "[abä12]{1,4}",
        2 => "[0-9]{1,4}",
        1 => "[ab]{1,2}[.-][0-2]{1,4}",
        1 => "\"[abä]{1,3} [ab1]{1,2}\"",
        2 => "tag:[aäb]{1,2}",
        1 => "tag:\"[aä] b\"",
        1 => "kind:(login|note|server)",
        2 => "field:(host|pin|\"A b\")",
        2 => "field:(host|pin)=[ab12]{1,3}",
        1 => "(before|after):2026-01-0[1-9]",
    ];
    (prop::bool::weighted(0.25), term).prop_map(|(excluded, term)| format!("{}{term}", if excluded { "-" } else { "" }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_engine_agrees_with_a_naive_reading(
        records in prop::collection::vec(given(), 1..16),
        others in prop::collection::vec((given(), any::<[bool; 4]>()), 16),
        queries in prop::collection::vec(prop::collection::vec(term(), 1..4), 12),
    ) {
        let mut records = records;
        for (number, record) in records.iter_mut().enumerate() {
            record.title = format!("{} t{number}t", record.title);
        }
        // What each was before differs in some of its parts.
        let before: Vec<Given> = records
            .iter()
            .zip(others)
            .map(|(record, (other, [kind, title, fields, tags]))| Given {
                kind: if kind { other.kind } else { record.kind },
                title: if title { other.title } else { record.title.clone() },
                fields: if fields { other.fields } else { record.fields.clone() },
                tags: if tags { other.tags } else { record.tags.clone() },
            })
            .collect();
        let bench = tenant_of_changed(&records, &before);
        for terms in queries {
            let text = terms.join(" ");
            let query: Query = text.parse().unwrap();
            let expected: BTreeSet<&str> = (0_u8..)
                .zip(&records)
                .filter(|(day, record)| naive(record, *day, &query))
                .map(|(_, record)| record.title.as_str())
                .collect();
            let found = found(&bench, &text);
            let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
            prop_assert_eq!(found, expected, "{}", text);
        }
    }
}
