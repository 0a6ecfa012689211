//! Rows to import and to look for: invented, the same every time, with common words, less common ones, and one word each
//! that is in no other row.

use std::io::{BufWriter, Write};
use std::path::Path;

use coffer_tests::proof::chance::Chance;

/// One row, as the file and the reference get it.
pub struct Row {
    pub title: String,
    pub company: String,
    pub email: String,
    pub phone: String,
    pub password: String,
    pub notes: String,
}

/// Columns of the file.
const HEADER: &str = "title,company,email,phone,password,notes";
/// Words of the notes; the pool is as large as a person's daily vocabulary.
const POOL: u64 = 3_000;

const NAMES: [&str; 24] = [
    "Alma", "Bjarne", "Clara", "Dusan", "Edda", "Farid", "Greta", "Hakon", "Ilse", "Jonas", "Katya", "Liam", "Mira",
    "Nils", "Olga", "Pavel", "Rosa", "Sven", "Tilda", "Ugo", "Vera", "Wim", "Yara", "Zoran",
];
const THINGS: [&str; 16] = [
    "gateway",
    "harbour",
    "ledger",
    "printer",
    "router",
    "warehouse",
    "payroll",
    "customs",
    "mailbox",
    "backup",
    "crane",
    "office",
    "tariff",
    "register",
    "archive",
    "dispatch",
];

/// Row `number` of a set.
pub fn row(set: u64, number: u64) -> Row {
    let mut chance = Chance::new(set.wrapping_mul(0x0010_0000_0000).wrapping_add(number));
    let name = pick(&mut chance, &NAMES);
    let thing = pick(&mut chance, &THINGS);
    let company = format!("{} {}", pick(&mut chance, &NAMES), pick(&mut chance, &THINGS));
    let mut notes = String::new();
    for _ in 0..12 {
        notes.push_str(&word(chance.below(POOL)));
        notes.push(' ');
    }
    notes.push_str(&rare_word(set, number));
    Row {
        title: format!("{name} {thing} {}", chance.below(1_000_000_000)),
        company,
        email: format!("{}.{number}@example.org", name.to_lowercase()),
        phone: format!("+49 30 {:07}", chance.below(10_000_000)),
        password: format!("invented-{:016x}", chance.bits()),
        notes,
    }
}

/// The word that only this row has.
pub fn rare_word(set: u64, number: u64) -> String {
    format!("q{set}z{number}")
}

/// One of the pool's words.
pub fn word(number: u64) -> String {
    const ONSETS: [&str; 10] = ["b", "d", "f", "k", "l", "m", "n", "r", "s", "t"];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    let mut rest = number;
    let mut word = String::new();
    for _ in 0..3 {
        let index = |n: u64| usize::try_from(n).expect("small");
        word.push_str(ONSETS[index(rest % 10)]);
        rest /= 10;
        word.push_str(VOWELS[index(rest % 5)]);
        rest /= 5;
    }
    word
}

/// Writes rows as CSV.
pub fn write_csv(path: &Path, set: u64, rows: u64) {
    let mut file = BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "{HEADER}").unwrap();
    for number in 0..rows {
        let Row { title, company, email, phone, password, notes } = row(set, number);
        writeln!(file, "{title},{company},{email},{phone},{password},{notes}").unwrap();
    }
    file.flush().unwrap();
}

fn pick<'w>(chance: &mut Chance, words: &[&'w str]) -> &'w str {
    words[usize::try_from(chance.below(words.len() as u64)).expect("an index")]
}
