//! A redacted twin holds nothing of its source, has its shape, and is the same for the same key.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::{BTreeMap, BTreeSet};

use coffer_interchange::invented::twin::{SourceTexts, TOKEN_CHARS, Twin};
use coffer_interchange::invented::{Firm, Invented};
use coffer_model::attachment::AttachmentName;
use coffer_model::id::RecordKey;
use coffer_model::record::{FieldDraft, FieldType, RecordContent, RecordDraft};
use proptest::prelude::*;

const KEY: [u8; 32] = [7; 32];

fn twin_of(contents: &[RecordContent]) -> Twin {
    let mut source = SourceTexts::new(&KEY);
    for content in contents {
        source.observe(content);
    }
    Twin::new(&KEY, source, &[])
}

fn field(name: &str, field_type: FieldType, value: &str) -> FieldDraft {
    FieldDraft { id: None, name: name.to_owned(), field_type, value: Some(value.into()) }
}

fn content(title: &str, fields: Vec<FieldDraft>, tags: &[&str], notes: &str) -> RecordContent {
    let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
    let draft =
        RecordDraft { kind: "login".parse().unwrap(), title: title.to_owned(), fields, tags, notes: notes.to_owned() };
    RecordContent::parse(draft, None).unwrap()
}

fn redrawn(field_type: FieldType, value: &str) -> String {
    let source = content("Gate", vec![field("Of", field_type, value)], &[], "");
    let twin = twin_of(std::slice::from_ref(&source)).content(&source).unwrap();
    twin.fields()[0].value.expose().to_owned()
}

/// Every text of a content but what stays as structure, with whether it is a name.
fn texts(content: &RecordContent) -> Vec<(String, bool)> {
    let fields = content.fields().iter().filter(|field| field.field_type != FieldType::Reference);
    let values = fields.map(|field| (field.value.expose().to_owned(), false));
    let names = content.fields().iter().map(|field| (field.name.clone(), true));
    let tags = content.tags().iter().map(|tag| (tag.clone(), false));
    let others = [content.title(), content.notes()].map(|text| (text.to_owned(), false));
    values.chain(names).chain(tags).chain(others).collect()
}

fn tokens(text: &str) -> impl Iterator<Item = String> + '_ {
    let tokens = text.split(|c: char| !c.is_alphanumeric()).filter(|token| token.chars().count() >= TOKEN_CHARS);
    tokens.map(str::to_lowercase)
}

/// What of the sources is in the twins: whole values of eight characters and more, and tokens inside any word.
fn survivors(sources: &[RecordContent], twins: &[RecordContent], twin: &Twin) -> Vec<String> {
    let source: Vec<(String, bool)> = sources.iter().flat_map(texts).collect();
    let held: Vec<(String, bool)> = twins.iter().flat_map(texts).collect();
    let tokens: BTreeSet<String> = source.iter().flat_map(|(text, _)| tokens(text).collect::<Vec<_>>()).collect();
    let values: BTreeSet<&str> =
        source.iter().map(|(text, _)| text.as_str()).filter(|text| text.chars().count() >= TOKEN_CHARS).collect();
    let mut survivors = Vec::new();
    for (text, is_name) in &held {
        if values.contains(text.as_str()) && !(*is_name && twin.keeps_name(text)) && has_letters(text) {
            survivors.push(text.clone());
        }
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let lower = word.to_lowercase();
            let is_structure = *is_name && twin.keeps_word(word);
            if !is_structure && lower.chars().count() >= TOKEN_CHARS && tokens.iter().any(|token| lower.contains(token))
            {
                survivors.push(word.to_owned());
            }
        }
    }
    survivors
}

/// Dates, numbers and dashes say nothing by themselves, and may be the same again.
fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

/// That two contents have the same shape.
fn assert_same_shape(source: &RecordContent, twin: &RecordContent) {
    let fields = |content: &RecordContent| -> Vec<_> {
        content.fields().iter().map(|field| (field.id, field.field_type, field.value.expose().is_empty())).collect()
    };
    assert_eq!(fields(source), fields(twin));
    assert_eq!((source.kind(), source.next_field()), (twin.kind(), twin.next_field()));
    assert_eq!(source.tags().len(), twin.tags().len());
    for (one, other) in source.fields().iter().zip(twin.fields()) {
        assert!(other.field_type.accepts(other.value.expose()), "{:?}", other.field_type);
        if matches!(one.field_type, FieldType::Secret) {
            assert_eq!(one.value.expose().chars().count(), other.value.expose().chars().count());
        }
    }
}

#[test]
fn nothing_of_a_realistic_tenant_survives_in_its_twin() {
    for firm in Firm::ALL {
        let drafts = Invented::new(firm, 5).take(1_500);
        let sources: Vec<RecordContent> = drafts.map(|draft| RecordContent::parse(draft, None).unwrap()).collect();
        let twin = twin_of(&sources);
        let twins: Vec<RecordContent> = sources.iter().map(|source| twin.content(source).unwrap()).collect();
        for (source, twin) in sources.iter().zip(&twins) {
            assert_same_shape(source, twin);
            assert_ne!(source.title(), twin.title());
        }
        assert_eq!(survivors(&sources, &twins, &twin), Vec::<String>::new());
    }
}

#[test]
fn the_same_value_becomes_the_same_and_different_ones_stay_different() {
    let drafts = Invented::new(Firm::Harbour, 9).take(1_000);
    let sources: Vec<RecordContent> = drafts.map(|draft| RecordContent::parse(draft, None).unwrap()).collect();
    let twin = twin_of(&sources);
    let mut became: BTreeMap<(FieldType, String), String> = BTreeMap::new();
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for source in &sources {
        let content = twin.content(source).unwrap();
        for (one, other) in source.fields().iter().zip(content.fields()) {
            let key = (one.field_type, one.value.expose().to_owned());
            let known = became.entry(key).or_insert_with(|| other.value.expose().to_owned());
            assert_eq!(known, other.value.expose());
        }
        if let ([one], [other]) = (source.tags(), content.tags()) {
            assert_eq!(tags.entry(one.clone()).or_insert_with(|| other.clone()), other);
        }
    }
    let secrets: Vec<&String> =
        became.iter().filter(|((kind, _), _)| *kind == FieldType::Email).map(|(_, value)| value).collect();
    assert_eq!(secrets.iter().collect::<BTreeSet<_>>().len(), secrets.len());
}

#[test]
fn a_key_makes_the_same_twin_and_another_key_another() {
    let source = content("Harbour gateway", vec![field("Host", FieldType::Text, "gw1.norrvik.example")], &["vpn"], "x");
    let made = |key: [u8; 32]| {
        let mut texts = SourceTexts::new(&key);
        texts.observe(&source);
        Twin::new(&key, texts, &[]).content(&source).unwrap()
    };
    assert_eq!(made([1; 32]), made([1; 32]));
    assert_ne!(made([1; 32]), made([2; 32]));
}

#[test]
fn every_type_keeps_its_shape() {
    let email = redrawn(FieldType::Email, "anna.schmidt@acme-logistik.de");
    let (local, domain) = email.split_once('@').unwrap();
    assert!(local.len() == 12 && local.as_bytes()[4] == b'.' && domain.ends_with(".example"), "{email}");
    assert_eq!(email.len(), "anna.schmidt@acme-logistik.de".len());

    let phone = redrawn(FieldType::Phone, "+49 (0)30 1234-567");
    assert!(phone.starts_with("+99 (9)") && phone.len() == 18 && phone.as_bytes()[14] == b'-', "{phone}");
    assert!(redrawn(FieldType::Phone, "030 1234567").starts_with('0'));

    let url = redrawn(FieldType::Url, "https://admin:geheim@portal.acme.de:8443/login?user=anna");
    assert!(url.starts_with("https://") && url.contains(":8443/") && url.contains(".example"), "{url}");
    assert!(!url.contains("anna") && !url.contains("geheim") && !url.contains("acme"), "{url}");

    let date = redrawn(FieldType::Date, "1990-05-01");
    assert!(FieldType::Date.accepts(&date) && date != "1990-05-01");
    let number = redrawn(FieldType::Number, "-1200.50");
    assert!(number.starts_with('-') && number.len() == 8 && number != "-1200.50", "{number}");
    assert_eq!(redrawn(FieldType::Text, "192.0.2.7").parse::<std::net::Ipv4Addr>().map(|_| ()), Ok(()));

    let secret = redrawn(FieldType::Secret, "Ab1! x9Z");
    let classes = |text: &str| -> Vec<u8> {
        let class = |c: char| match c {
            'a'..='z' => 0,
            'A'..='Z' => 1,
            '0'..='9' => 2,
            ' ' => 3,
            _ => 4,
        };
        text.chars().map(class).collect()
    };
    assert_eq!(classes(&secret), classes("Ab1! x9Z"));
    assert!(redrawn(FieldType::Secret, "🦊🦊🦊🦊").chars().all(|c| c != '🦊'));
}

#[test]
fn seeds_of_codes_are_new_and_work() {
    let seed = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
    let drawn = redrawn(FieldType::Totp, seed);
    assert!(FieldType::Totp.accepts(&drawn) && drawn != seed && drawn.len() == seed.len(), "{drawn}");
    let uri = "otpauth://totp/ACME:anna@acme.de?secret=GEZDGNBVGY3TQOJQ%3D%3D&issuer=ACME&digits=8&period=60";
    let drawn = redrawn(FieldType::Totp, uri);
    assert!(FieldType::Totp.accepts(&drawn), "{drawn}");
    assert!(drawn.contains("digits=8&period=60") && !drawn.contains("ACME") && !drawn.contains("GEZD"), "{drawn}");
}

#[test]
fn a_choice_becomes_another_of_its_template_and_a_free_one_a_free_one() {
    let choice = |value: &str| {
        let draft = RecordDraft {
            kind: "server".parse().unwrap(),
            title: "db".to_owned(),
            fields: vec![field("Environment", FieldType::Choice, value)],
            tags: Vec::new(),
            notes: String::new(),
        };
        let source = RecordContent::parse(draft, None).unwrap();
        let twin = twin_of(std::slice::from_ref(&source)).content(&source).unwrap();
        twin.fields()[0].value.expose().to_owned()
    };
    let offered = ["Production", "Staging", "Test"];
    let drawn = offered.map(choice);
    assert!(drawn.iter().all(|value| offered.contains(&value.as_str())), "{drawn:?}");
    assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 3);
    assert!(!offered.contains(&choice("Schmidt's own").as_str()));
}

#[test]
fn names_of_templates_stay_and_names_that_say_something_do_not() {
    let names = ["Password", "Benutzer", "Password of Anna Schmidt"];
    let fields = names.map(|name| field(name, FieldType::Text, "x")).to_vec();
    let source = content("Gate", fields, &[], "");
    let twin = twin_of(std::slice::from_ref(&source)).content(&source).unwrap();
    let drawn: Vec<&str> = twin.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(drawn[..2], names[..2]);
    assert!(drawn[2].starts_with("Password of ") && !drawn[2].contains("Anna"), "{}", drawn[2]);
}

#[test]
fn references_lead_to_the_twins_of_what_they_led_to() {
    let other = RecordKey::from_bytes([9; 16]);
    let source = content("Gate", vec![field("Gateway", FieldType::Reference, &other.to_string())], &[], "");
    let twin = twin_of(std::slice::from_ref(&source));
    let content = twin.content(&source).unwrap();
    assert_eq!(content.fields()[0].value.expose(), twin.record_key(other).to_string());
    assert_ne!(twin.record_key(other), other);
    assert_eq!(twin.record_key(other).as_bytes()[..6], other.as_bytes()[..6]);
}

#[test]
fn names_of_attachments_keep_their_ending_and_stay_different() {
    let names = ["Vertrag Schmidt.pdf", "Vertrag.pdf", "a.txt", "b.txt", "c.txt", "README"];
    let names = names.map(AttachmentName::from_file_name);
    let mut source = SourceTexts::new(&KEY);
    for name in &names {
        source.observe_attachment(name);
    }
    let twin = Twin::new(&KEY, source, &[]);
    let drawn = twin.attachment_names(names.iter());
    assert_eq!(drawn.values().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(drawn["Vertrag Schmidt.pdf"].as_str().split('.').next_back(), Some("pdf"));
    assert!(drawn.iter().all(|(name, twin)| *name != twin.as_str()), "{drawn:?}");
}

#[test]
fn a_record_at_its_greatest_size_has_a_twin() {
    let addresses = format!("{}{}", "a@b.c ".repeat(1_000), "x".repeat(198 * 1024));
    let fields = ["One", "Two", "Three", "Four", "Five"];
    let fields = fields.map(|name| field(name, FieldType::Multiline, &addresses)).to_vec();
    let source = content("Gate", fields, &[], "");
    let twin = twin_of(std::slice::from_ref(&source)).content(&source).unwrap();
    assert_same_shape(&source, &twin);
}

fn any_value(field_type: FieldType) -> BoxedStrategy<String> {
    match field_type {
        FieldType::Email => "[a-zA-Z0-9.@ä]{1,20}@[a-z0-9.-]{1,20}".boxed(),
        FieldType::Phone => "[+0-9][0-9 ()/-]{0,20}[0-9]".boxed(),
        FieldType::Url => "([a-z]{2,6}://)?[a-z0-9@:.-]{0,20}[/?#a-zA-Z0-9%=&]{0,30}".boxed(),
        FieldType::Date | FieldType::Expiry => {
            (0..=9999_i32, 1..=12, 1..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")).boxed()
        }
        FieldType::Number => "[+-]?[0-9]{1,24}(\\.[0-9]{1,12})?".boxed(),
        FieldType::Totp => "([A-Z2-7]{16}|[A-Z2-7]{32})".boxed(),
        FieldType::Reference => any::<[u8; 16]>().prop_map(|bytes| RecordKey::from_bytes(bytes).to_string()).boxed(),
        FieldType::Text | FieldType::Choice => "[a-zA-Z0-9 äöüß日本🦊.,@:/-]{0,40}".boxed(),
        FieldType::Secret | FieldType::Multiline => "[a-zA-Z0-9 \näßé日🦊!$-]{0,60}".boxed(),
    }
}

prop_compose! {
    fn any_field()(index in 0..FieldType::ALL.len())(
        field_type in Just(FieldType::ALL[index]),
        value in any_value(FieldType::ALL[index]),
        name in "[A-Za-z][A-Za-z ä0-9]{0,30}",
    ) -> FieldDraft {
        field(&name, field_type, &value)
    }
}

prop_compose! {
    fn any_content()(
        title in "[A-Za-z0-9äß][A-Za-z0-9 .@:äß日-]{0,40}",
        fields in proptest::collection::vec(any_field(), 0..8),
        tags in proptest::collection::vec("[a-zäß0-9]{1,14}", 0..4),
        notes in "([a-z]{1,12}[ .\n]){0,12}",
        kind in "(login|contact|custom|[a-z_]{1,12})",
    ) -> Option<RecordContent> {
        RecordContent::parse(RecordDraft { kind: kind.parse().unwrap(), title, fields, tags, notes }, None).ok()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_of_any_records_survives_in_their_twins(contents in proptest::collection::vec(any_content(), 1..12)) {
        let sources: Vec<RecordContent> = contents.into_iter().flatten().collect();
        let twin = twin_of(&sources);
        let twins: Vec<RecordContent> = sources.iter().map(|source| twin.content(source).unwrap()).collect();
        for (source, drawn) in sources.iter().zip(&twins) {
            prop_assert_eq!(source.fields().len(), drawn.fields().len());
            prop_assert_eq!(source.tags().len(), drawn.tags().len());
            for field in drawn.fields() {
                prop_assert!(field.field_type.accepts(field.value.expose()), "{:?} {}", field.field_type, field.value.expose());
            }
        }
        prop_assert_eq!(survivors(&sources, &twins, &twin), Vec::<String>::new());
    }

    #[test]
    fn no_token_of_a_source_that_has_nearly_all_survives(digits in proptest::collection::vec("[01]{8}", 1..200), value in "[0-9]{8,40}") {
        let mut fields: Vec<FieldDraft> =
            digits.iter().enumerate().map(|(at, digits)| field(&at.to_string(), FieldType::Text, digits)).collect();
        fields.truncate(150);
        fields.push(field("Number", FieldType::Number, &value));
        let source = content("Gate", fields, &[], "");
        let twin = twin_of(std::slice::from_ref(&source));
        let drawn = twin.content(&source).unwrap();
        prop_assert_eq!(survivors(std::slice::from_ref(&source), std::slice::from_ref(&drawn), &twin), Vec::<String>::new());
    }
}
