//! Numbers that look right and belong to nobody: telephone, bank account, card, address on the network. Pure.
//!
//! Each comes from a range its authority keeps for fiction, tests or documentation, or never assigns.

use super::random::Choices;

/// Prefixes for drama and the digits that may follow, each `x` one digit: Ofcom (United Kingdom), Bundesnetzagentur
/// (Germany), Arcep (France), PTS (Sweden).
const PHONES: [&str; 12] = [
    "+44 20 7946 0xxx",
    "+44 161 496 0xxx",
    "+44 131 496 0xxx",
    "+44 7700 900xxx",
    "+49 30 23125 xxx",
    "+49 40 66969 xxx",
    "+49 69 90009 xxx",
    "+49 89 99998 xxx",
    "+33 1 99 00 xx xx",
    "+33 6 39 98 xx xx",
    "+46 8 465 004 xx",
    "+46 31 390 06 xx",
];

/// A telephone number.
pub(super) fn phone(choices: &mut Choices) -> String {
    let pattern = choices.pick(&PHONES);
    digits_for_x(choices, pattern)
}

/// An IBAN (ISO 13616) whose check digits are right and whose bank does not exist, in groups of four.
///
/// German bank codes do not begin with 0; no British or Dutch bank has the code TEST.
pub(super) fn iban(choices: &mut Choices) -> String {
    let (country, pattern) =
        choices.pick(&[("DE", "00000000xxxxxxxxxx"), ("GB", "TEST000000xxxxxxxx"), ("NL", "TEST0xxxxxxxxx")]);
    let account = digits_for_x(choices, pattern);
    let check = 98 - remainder_97(&format!("{account}{country}00"));
    in_fours(&format!("{country}{check:02}{account}"))
}

/// A card number that passes the Luhn check (ISO/IEC 7812-1, annex B). Numbers that begin with 9999 belong to no
/// issuer.
pub(super) fn card(choices: &mut Choices) -> String {
    let body = digits_for_x(choices, "9999xxxxxxxxxxx");
    let check = (10 - luhn_sum(&body) % 10) % 10;
    in_fours(&format!("{body}{check}"))
}

/// An IPv4 address of the blocks for documentation (RFC 5737).
pub(super) fn address(choices: &mut Choices) -> String {
    format!("{}.{}", choices.pick(&["192.0.2", "198.51.100", "203.0.113"]), choices.between(1, 254))
}

/// A calendar date in the years given, both included.
pub(super) fn date(choices: &mut Choices, first_year: u32, last_year: u32) -> String {
    format!("{}-{:02}-{:02}", choices.between(first_year, last_year), choices.between(1, 12), choices.between(1, 28))
}

fn digits_for_x(choices: &mut Choices, pattern: &str) -> String {
    pattern.chars().map(|c| if c == 'x' { char::from(choices.pick(b"0123456789")) } else { c }).collect()
}

/// The number modulo 97, letters counting as 10 to 35 (ISO 7064).
fn remainder_97(text: &str) -> u32 {
    text.chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 })
}

/// The Luhn sum of a number that still lacks its check digit.
fn luhn_sum(digits: &str) -> u32 {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let digits = digits.chars().rev().filter_map(|c| c.to_digit(10));
    digits.enumerate().map(|(place, digit)| if place % 2 == 0 { doubled(digit) } else { digit }).sum()
}

fn in_fours(text: &str) -> String {
    let mut grouped = String::with_capacity(text.len() + text.len() / 4);
    for (place, c) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(c);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digits_are_those_of_published_examples() {
        // ISO 13616's own British example, and the card number every payment manual tests with.
        assert_eq!(98 - remainder_97("NWBK60161331926819GB00"), 29);
        assert_eq!((10 - luhn_sum("411111111111111") % 10) % 10, 1);
    }

    #[test]
    fn every_number_passes_its_check() {
        let mut choices = Choices::new(1);
        for _ in 0..200 {
            let iban = iban(&mut choices).replace(' ', "");
            assert_eq!(remainder_97(&format!("{}{}", &iban[4..], &iban[..4])), 1, "{iban}");
            let card = card(&mut choices).replace(' ', "");
            let (body, check) = card.split_at(15);
            assert_eq!((luhn_sum(body) + check.parse::<u32>().unwrap()) % 10, 0, "{card}");
        }
    }
}
