//! Invented records: believable, different, the same for the same seed. For demo vaults, tests and measurements.
//! Pure. Names are made up, and every number, address and domain comes from a range kept for fiction or examples.

mod numbers;
mod random;
pub mod twin;
#[rustfmt::skip] // Says why itself.
mod words;

use std::collections::BTreeSet;

use coffer_model::record::{FieldDraft, FieldType, RecordDraft, Value};

use self::random::Choices;

/// A firm whose records are invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firm {
    /// A freight forwarder at a northern harbour.
    Harbour,
    /// An architects' practice.
    Studio,
}

impl Firm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Harbour, Self::Studio];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Harbour => "Norrvik Freight",
            Self::Studio => "Morel & Kovač Architects",
        }
    }

    /// Its domain, under a top-level domain that never resolves (RFC 2606).
    const fn domain(self) -> &'static str {
        match self {
            Self::Harbour => "norrvik.example",
            Self::Studio => "morel-kovac.example",
        }
    }

    const fn tags(self) -> &'static [&'static str] {
        match self {
            Self::Harbour => &words::HARBOUR_TAGS,
            Self::Studio => &words::STUDIO_TAGS,
        }
    }

    const fn places(self) -> &'static [&'static str] {
        match self {
            Self::Harbour => &words::HARBOUR_PLACES,
            Self::Studio => &words::STUDIO_PLACES,
        }
    }

    const fn sentences(self) -> &'static [&'static str] {
        match self {
            Self::Harbour => &words::HARBOUR_SENTENCES,
            Self::Studio => &words::STUDIO_SENTENCES,
        }
    }
}

/// Records of one firm, without end. Their passwords follow from the seed and protect nothing.
#[derive(Debug)]
pub struct Invented {
    firm: Firm,
    choices: Choices,
}

impl Invented {
    /// Begins a sequence. The two firms' sequences differ for one seed.
    pub const fn new(firm: Firm, seed: u64) -> Self {
        let salt = match firm {
            Firm::Harbour => 0,
            Firm::Studio => 0x5354_5544_494F, // "STUDIO"
        };
        Self { firm, choices: Choices::new(seed ^ salt) }
    }
}

impl Iterator for Invented {
    type Item = RecordDraft;

    fn next(&mut self) -> Option<RecordDraft> {
        let choices = &mut self.choices;
        let body = match choices.below(100) {
            0..45 => contact(choices),
            45..70 => login(choices, self.firm),
            70..77 => server(choices, self.firm),
            77..83 => note(choices),
            83..88 => licence(choices),
            88..92 => bank_account(choices),
            92..95 => api_key(choices),
            95..97 => card(choices),
            97..99 => identity_document(choices),
            _ => custom(choices, self.firm),
        };
        let sentences = if body.kind == "note" { choices.between(3, 8) } else { choices.below(3) };
        Some(RecordDraft {
            kind: body.kind.parse().expect("the kinds named in this file are well formed"),
            title: body.title,
            fields: body.fields,
            tags: tags(choices, self.firm),
            notes: prose(choices, self.firm, sentences),
        })
    }
}

/// What the kinds differ in.
struct Body {
    kind: &'static str,
    title: String,
    fields: Vec<FieldDraft>,
}

fn contact(choices: &mut Choices) -> Body {
    let person = Person::invent(choices);
    let company = company(choices);
    let email = person.email(&domain_of(&company));
    let mut fields = vec![
        field("Company", FieldType::Text, company),
        field("Position", FieldType::Text, choices.pick(&words::POSITIONS)),
        field("E-mail", FieldType::Email, email),
        field("Phone", FieldType::Phone, numbers::phone(choices)),
    ];
    if choices.chance(40) {
        fields.push(field("Mobile", FieldType::Phone, numbers::phone(choices)));
    }
    if choices.chance(60) {
        let street = format!("{} {}", choices.pick(&words::STREETS), choices.between(1, 140));
        let address = format!("{street}\n{}", choices.pick(&words::TOWNS));
        fields.push(field("Address", FieldType::Multiline, address));
    }
    if choices.chance(20) {
        fields.push(field("Birthday", FieldType::Date, numbers::date(choices, 1955, 2006)));
    }
    Body { kind: "contact", title: person.name(), fields }
}

fn login(choices: &mut Choices, firm: Firm) -> Body {
    let person = Person::invent(choices);
    let company = company(choices);
    let (service, host) = choices.pick(&words::SERVICES);
    let mut fields = vec![
        field("User name", FieldType::Text, person.email(firm.domain())),
        field("Password", FieldType::Secret, password(choices)),
        field("URL", FieldType::Url, format!("https://{host}.{}/sign-in", domain_of(&company))),
    ];
    if choices.chance(15) {
        fields.push(field("One-time code", FieldType::Totp, choices.text(BASE32, 32)));
    }
    Body { kind: "login", title: format!("{service}, {company}"), fields }
}

fn server(choices: &mut Choices, firm: Firm) -> Body {
    let host = format!("{}{:03}", choices.pick(&words::SERVER_ROLES), choices.between(1, 400));
    let fields = vec![
        field("Host name", FieldType::Text, format!("{host}.{}", firm.domain())),
        field("Address", FieldType::Text, numbers::address(choices)),
        field("System", FieldType::Text, choices.pick(&words::SYSTEMS)),
        field("SSH port", FieldType::Number, choices.pick(&["22", "2022", "2222"])),
        field("Account", FieldType::Text, choices.pick(&["root", "admin", "deploy", "operator"])),
        field("Password", FieldType::Secret, password(choices)),
        field("Console", FieldType::Url, format!("https://{host}.{}:8006/", firm.domain())),
    ];
    Body { kind: "server", title: format!("{host}, {}", choices.pick(firm.places())), fields }
}

fn note(choices: &mut Choices) -> Body {
    let title = format!("{}, {}", choices.pick(&words::SUBJECTS), company(choices));
    let fields = vec![field("Date", FieldType::Date, numbers::date(choices, 2018, 2026))];
    Body { kind: "note", title, fields }
}

fn licence(choices: &mut Choices) -> Body {
    let product = format!("{} {}", choices.pick(&words::PRODUCTS), choices.between(3, 14));
    let key: Vec<String> = (0..5).map(|_| choices.text(BASE32, 5)).collect();
    let vendor = company(choices);
    let fields = vec![
        field("Vendor", FieldType::Text, vendor.as_str()),
        field("Licence key", FieldType::Secret, key.join("-")),
        field("Seats", FieldType::Number, choices.between(1, 60).to_string()),
        field("Valid until", FieldType::Expiry, numbers::date(choices, 2026, 2030)),
        field("Support", FieldType::Email, format!("support@{}", domain_of(&vendor))),
    ];
    Body { kind: "licence", title: format!("{product}, {vendor}"), fields }
}

fn bank_account(choices: &mut Choices) -> Body {
    let holder = company(choices);
    let fields = vec![
        field("Bank", FieldType::Text, choices.pick(&words::BANKS)),
        field("Holder", FieldType::Text, holder.as_str()),
        field("IBAN", FieldType::Text, numbers::iban(choices)),
        // A 0 in the eighth place marks a BIC for tests (ISO 9362).
        field("BIC", FieldType::Text, choices.pick(&["TESTDEF0", "TESTGB20", "TESTNL20"])),
        field("Limit", FieldType::Number, format!("{}.00", choices.between(1, 250) * 500)),
        field("Online PIN", FieldType::Secret, choices.text(DIGITS, 5)),
    ];
    Body { kind: "bank_account", title: format!("{holder}, account"), fields }
}

fn api_key(choices: &mut Choices) -> Body {
    let (service, host) = choices.pick(&words::SERVICES);
    let company = company(choices);
    let fields = vec![
        field(
            "Endpoint",
            FieldType::Url,
            format!("https://{host}.{}/api/v{}", domain_of(&company), choices.between(1, 4)),
        ),
        field("Key ID", FieldType::Text, choices.text(BASE32, 12)),
        field("Secret key", FieldType::Secret, format!("demo_{}", choices.text(PASSWORD, 32))),
        field("Expires", FieldType::Expiry, numbers::date(choices, 2026, 2029)),
    ];
    Body { kind: "api_key", title: format!("{service} API, {company}"), fields }
}

fn card(choices: &mut Choices) -> Body {
    let holder = Person::invent(choices).name();
    let number = numbers::card(choices);
    let title = format!("Company card {}, {holder}", &number[number.len() - 4..]);
    let fields = vec![
        field("Holder", FieldType::Text, holder),
        field("Number", FieldType::Secret, number),
        field("Expires", FieldType::Text, format!("{:02}/{}", choices.between(1, 12), choices.between(26, 31))),
        field("CVC", FieldType::Secret, choices.text(DIGITS, 3)),
        field("PIN", FieldType::Secret, choices.text(DIGITS, 4)),
    ];
    Body { kind: "card", title, fields }
}

fn identity_document(choices: &mut Choices) -> Body {
    let holder = Person::invent(choices).name();
    let (document, authority) = choices.pick(&words::DOCUMENTS);
    let fields = vec![
        field("Holder", FieldType::Text, holder.as_str()),
        field("Number", FieldType::Secret, format!("X{}", choices.text(BASE32, 8))),
        field("Authority", FieldType::Text, authority),
        field("Issued", FieldType::Date, numbers::date(choices, 2016, 2025)),
        field("Valid until", FieldType::Expiry, numbers::date(choices, 2026, 2035)),
    ];
    Body { kind: "identity_document", title: format!("{document}, {holder}"), fields }
}

fn custom(choices: &mut Choices, firm: Firm) -> Body {
    let thing = choices.pick(&words::THINGS);
    let place = choices.pick(firm.places());
    let fields = vec![
        field("Place", FieldType::Text, place),
        field("Code", FieldType::Secret, choices.text(DIGITS, 6)),
        field("Serviced", FieldType::Date, numbers::date(choices, 2022, 2026)),
        field("Emergency number", FieldType::Phone, numbers::phone(choices)),
    ];
    Body { kind: "custom", title: format!("{thing} {}, {place}", choices.between(1, 30)), fields }
}

/// The alphabet of RFC 4648 §6.
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const DIGITS: &[u8] = b"0123456789";
const PASSWORD: &[u8] = b"abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

fn field(name: &str, field_type: FieldType, value: impl Into<String>) -> FieldDraft {
    FieldDraft { id: None, name: name.to_owned(), field_type, value: Some(Value::new(value.into())) }
}

struct Person {
    given: &'static str,
    family: &'static str,
}

impl Person {
    fn invent(choices: &mut Choices) -> Self {
        Self { given: choices.pick(&words::GIVEN_NAMES), family: choices.pick(&words::FAMILY_NAMES) }
    }

    fn name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    fn email(&self, domain: &str) -> String {
        format!("{}.{}@{domain}", plain(self.given), plain(self.family))
    }
}

fn company(choices: &mut Choices) -> String {
    format!("{} {}", choices.pick(&words::COMPANY_NAMES), choices.pick(&words::COMPANY_FORMS))
}

/// A company's domain, under the top-level domain for examples (RFC 2606).
fn domain_of(company: &str) -> String {
    let first_word = company.split(' ').next().unwrap_or(company);
    format!("{}.example", plain(first_word))
}

fn password(choices: &mut Choices) -> String {
    if choices.chance(30) {
        let words: Vec<String> = (0..4).map(|_| plain(choices.pick(&words::COMPANY_NAMES))).collect();
        format!("{}-{}", words.join("-"), choices.between(10, 99))
    } else {
        choices.text(PASSWORD, 20)
    }
}

fn tags(choices: &mut Choices, firm: Firm) -> Vec<String> {
    let tags: BTreeSet<&str> = (0..choices.below(4)).map(|_| choices.pick(firm.tags())).collect();
    tags.into_iter().map(str::to_owned).collect()
}

fn prose(choices: &mut Choices, firm: Firm, sentences: u32) -> String {
    let mut text = String::new();
    for position in 0..sentences {
        let list = if choices.chance(35) { firm.sentences() } else { &words::SENTENCES };
        if position > 0 {
            text.push(if position % 3 == 0 { '\n' } else { ' ' });
        }
        text.push_str(choices.pick(list));
    }
    text
}

/// A name in the letters of host names.
fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter_map(plain_letter).collect()
}

/// The letter without its accent; `None` for what is no letter of the word lists.
const fn plain_letter(letter: char) -> Option<char> {
    Some(match letter {
        'a'..='z' => letter,
        'á' | 'ã' | 'ä' | 'å' | 'ą' => 'a',
        'ć' | 'č' | 'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' => 'i',
        'ł' => 'l',
        'ñ' => 'n',
        'ó' | 'ô' | 'ö' | 'ø' => 'o',
        'š' | 'ß' => 's',
        'ú' | 'ü' => 'u',
        'ý' => 'y',
        'ž' | 'ż' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use coffer_model::record::{RecordContent, RecordKind};

    use super::*;

    fn thousands(firm: Firm) -> Vec<RecordDraft> {
        Invented::new(firm, 2).take(10_000).collect()
    }

    #[test]
    fn a_seed_gives_the_same_records_and_another_gives_others() {
        let first = |firm, seed| Invented::new(firm, seed).take(300).collect::<Vec<_>>();
        assert_eq!(first(Firm::Harbour, 2), first(Firm::Harbour, 2));
        assert_ne!(first(Firm::Harbour, 2), first(Firm::Harbour, 3));
        assert_ne!(first(Firm::Harbour, 2), first(Firm::Studio, 2));
    }

    #[test]
    fn every_draft_is_a_record_of_an_offered_kind_and_every_kind_occurs() {
        for firm in Firm::ALL {
            let mut kinds = BTreeSet::new();
            for draft in thousands(firm) {
                let content = RecordContent::parse(draft, None).unwrap();
                assert!(content.fields().iter().all(|field| !field.value.expose().is_empty()));
                kinds.insert(content.kind().as_str().to_owned());
            }
            assert_eq!(kinds, RecordKind::OFFERED.map(str::to_owned).into_iter().collect());
        }
    }

    #[test]
    fn most_titles_occur_once() {
        for firm in Firm::ALL {
            let titles: Vec<String> = thousands(firm).into_iter().map(|draft| draft.title).collect();
            let distinct = titles.iter().collect::<BTreeSet<_>>().len();
            assert!(distinct * 100 > titles.len() * 80, "{distinct} of {}", titles.len());
        }
    }

    #[test]
    fn mail_and_hosts_belong_to_nobody() {
        for field in thousands(Firm::Studio).into_iter().flat_map(|draft| draft.fields) {
            let value = field.value.unwrap();
            let host = match field.field_type {
                FieldType::Email => value.expose().rsplit('@').next().unwrap().to_owned(),
                FieldType::Url => value.expose().split(['/', ':']).nth(3).unwrap().to_owned(),
                _ => continue,
            };
            assert!(host.ends_with(".example") && host.is_ascii(), "{host}");
            assert!(value.expose().is_ascii());
        }
    }

    #[test]
    fn no_letter_of_a_name_is_lost_in_an_address() {
        for name in words::GIVEN_NAMES.iter().chain(&words::FAMILY_NAMES).chain(&words::COMPANY_NAMES) {
            let letters = name.chars().filter(|letter| letter.is_alphabetic()).count();
            assert_eq!(plain(name).len(), letters, "{name}");
        }
    }
}
