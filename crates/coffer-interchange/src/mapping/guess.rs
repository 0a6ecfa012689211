//! A mapping suggested from the names of the columns, lowered by what a sample of the rows holds. Pure.
//!
//! A guess never depends on a single row of an import: the type of a column is settled before the first record, and
//! a later row that does not fit is an error of that row.

use coffer_model::record::{FieldType, RecordKind, limits};

use super::{Column, Mapping, Program, Target, kind_of, tags_of, text_of};

/// A mapping in the making.
#[derive(Debug)]
pub struct Guess {
    names: Vec<String>,
    columns: Vec<Candidate>,
    kind: RecordKind,
    joined_title: Vec<usize>,
    spare_title: Vec<usize>,
    program: Option<Program>,
}

/// What a column may become and what its cells have allowed so far.
#[derive(Debug)]
struct Candidate {
    target: Wish,
    /// Whether every cell of the sample fits.
    fits: bool,
    /// Whether some cell of the sample holds anything.
    filled: bool,
    /// Whether some cell of the sample is no single line.
    several_lines: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Title,
    /// Any kind.
    Kind,
    /// A kind that is offered: the name of the column alone says too little.
    OfferedKind,
    Tags,
    Notes,
    Tenant,
    Field(FieldType),
    Skip,
}

impl Guess {
    /// Judges by the names of the columns.
    pub fn new(names: &[String]) -> Self {
        let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
        let find = |wanted: &[&str]| wanted.iter().find_map(|name| plain.iter().position(|plain| plain == name));
        let program = Program::of(&plain);
        let wish = |name: &String| match program {
            Some(program) if program.skips(name) => Wish::Skip,
            Some(program) if program.is_seed(name) => Wish::Field(FieldType::Totp),
            Some(program) if program.hides(name) => Wish::Field(FieldType::Secret),
            Some(_) | None => Wish::Field(field_type(name)),
        };
        let mut wishes: Vec<Wish> = plain.iter().map(wish).collect();

        let full_name = find(&["display name", "full name", "anzeigename", "name"]);
        let first_name = find(&["first name", "firstname", "given name", "vorname"]);
        let mut last_name = find(&["last name", "lastname", "family name", "surname", "nachname", "familienname"]);
        let company = find(&["company", "organization", "organisation", "organization name", "firma", "unternehmen"]);
        // Beside "Vorname", "Name" is the family name.
        if first_name.is_some() && last_name.is_none() {
            last_name = find(&["name"]);
        }
        // Among names of people, "Title" is an honorific.
        let title = match (first_name, last_name) {
            (None, None) => find(&["title", "titel", "name", "display name", "full name", "anzeigename", "entry"])
                .or_else(|| find(&["item", "account", "bezeichnung"]))
                .or(company),
            _ => full_name.filter(|&column| Some(column) != last_name),
        };

        let single = [
            (title, Wish::Title),
            (
                find(&[
                    "notes",
                    "note",
                    "notizen",
                    "notiz",
                    "comments",
                    "comment",
                    "bemerkungen",
                    "bemerkung",
                    "extra",
                ]),
                Wish::Notes,
            ),
            (find(&["tenant", "mandant"]), Wish::Tenant),
            (find(&["kind"]), Wish::Kind),
            (find(&["type", "category", "typ", "kategorie"]), Wish::OfferedKind),
            (
                find(&["tags", "tag", "labels", "schlagwörter", "group", "grouping", "folder", "gruppe", "ordner"]),
                Wish::Tags,
            ),
        ];
        for (column, wish) in single {
            if let Some(column) = column
                && matches!(wishes[column], Wish::Field(_))
                && (wish != Wish::OfferedKind || !wishes.contains(&Wish::Kind))
            {
                wishes[column] = wish;
            }
        }

        let url = find(&["url", "uri", "website", "web site", "webseite"]);
        let user = find(&["username", "user name", "benutzername", "user", "login", "login name"]);
        let email = wishes.iter().position(|wish| *wish == Wish::Field(FieldType::Email));
        let phone = wishes.iter().position(|wish| *wish == Wish::Field(FieldType::Phone));
        let has_password = plain.iter().any(|name| name.contains("password") || name.contains("passwor"));
        let kind = if has_password {
            "login"
        } else if first_name.or(last_name).or(email).or(phone).is_some() {
            "contact"
        } else {
            "custom"
        };
        Self {
            names: names.to_vec(),
            columns: wishes.into_iter().map(Candidate::new).collect(),
            kind: offered_kind(kind),
            joined_title: [first_name, last_name].into_iter().flatten().collect(),
            spare_title: [company, url, user, email].into_iter().flatten().collect(),
            program,
        }
    }

    /// The program whose table it is, if the header is one that is known.
    pub const fn program(&self) -> Option<Program> {
        self.program
    }

    /// Takes a row of the sample into account.
    pub fn observe(&mut self, cells: &[&str]) {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.observe(cell);
        }
    }

    /// The mapping that fits the names and every row observed. It may lack a title.
    pub fn into_mapping(self) -> Mapping {
        let columns = self.names.into_iter().zip(self.columns);
        Mapping {
            kind: self.kind,
            columns: columns.map(|(name, candidate)| Column { target: candidate.target(&name), name }).collect(),
            joined_title: self.joined_title,
            spare_title: self.spare_title,
            tenant: Vec::new(),
        }
    }
}

impl Candidate {
    const fn new(target: Wish) -> Self {
        Self { target, fits: true, filled: false, several_lines: false }
    }

    fn observe(&mut self, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.filled = true;
        self.several_lines |= !FieldType::Text.accepts(cell);
        self.fits = self.fits
            && match self.target {
                Wish::Title => {
                    let title = cell.trim();
                    title.chars().count() <= limits::TITLE_CHARS && !title.chars().any(char::is_control)
                }
                Wish::Kind => kind_of(cell).is_none_or(|kind| kind.is_ok()),
                Wish::OfferedKind => {
                    kind_of(cell).is_none_or(|kind| kind.is_ok_and(|kind| RecordKind::OFFERED.contains(&kind.as_str())))
                }
                Wish::Tags => {
                    let fits =
                        |tag: &str| tag.chars().count() <= limits::TAG_CHARS && !tag.chars().any(char::is_control);
                    tags_of(cell).count() <= limits::TAGS && tags_of(cell).all(fits)
                }
                Wish::Field(field_type) => field_type.accepts(text_of(cell, field_type)),
                Wish::Notes | Wish::Tenant | Wish::Skip => true,
            };
    }

    fn target(&self, name: &str) -> Target {
        let text = if self.several_lines { FieldType::Multiline } else { FieldType::Text };
        let field = |field_type| Target::Field { name: name.to_owned(), field_type };
        match self.target {
            // A title that is too long in some row stays one: that row is in error, whereas without it none is right.
            Wish::Title => Target::Title,
            Wish::Notes => Target::Notes,
            // A name of somebody else is an error of its row, never a reason to let it in.
            Wish::Tenant => Target::Tenant,
            Wish::Skip => Target::Skip,
            Wish::Kind if self.fits => Target::Kind,
            Wish::OfferedKind if self.fits && self.filled => Target::Kind,
            Wish::Tags if self.fits => Target::Tags,
            Wish::Field(FieldType::Date) if !self.filled => field(text),
            Wish::Field(field_type) if self.fits => field(field_type),
            // What may be a secret stays one whatever it holds.
            Wish::Field(field_type) if field_type.is_masked() => field(FieldType::Secret),
            Wish::Kind | Wish::OfferedKind | Wish::Tags | Wish::Field(_) => field(text),
        }
    }
}

fn offered_kind(name: &'static str) -> RecordKind {
    name.parse().expect("the kinds named in this file are well formed")
}

/// A column's name as it is compared: lower case, words separated by one space, without the prefix `login`.
fn plain_name(name: &str) -> String {
    let name = name.to_lowercase().replace(['_', '-', '.'], " ");
    let words: Vec<&str> = name.split_whitespace().collect();
    match words.as_slice() {
        ["login", rest @ ..] if !rest.is_empty() && rest != ["name"] => rest.join(" "),
        words => words.join(" "),
    }
}

/// The type of a field by the column's name. Dates too, since the sample says whether they are strict ones.
fn field_type(plain_name: &str) -> FieldType {
    const DATES: [&str; 14] = [
        "date",
        "datum",
        "birthday",
        "birthdate",
        "geburtstag",
        "geburtsdatum",
        "anniversary",
        "expires",
        "expiry",
        "valid",
        "gültig",
        "ablaufdatum",
        "created",
        "modified",
    ];
    match FieldType::guess_from_name(plain_name) {
        // plain_name has no hyphens left.
        FieldType::Text if plain_name.contains("e mail") => FieldType::Email,
        FieldType::Text if matches!(plain_name, "uri" | "link") => FieldType::Url,
        FieldType::Text if plain_name.split(' ').any(|word| DATES.contains(&word)) => FieldType::Date,
        guessed => guessed,
    }
}
