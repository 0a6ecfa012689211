//! Everything that fuzzing has grown, fed again to every parser, each input also bent in ways that follow from its place:
//! the short slice of `./x prove fuzz`.

use coffer_fuzz::{KEPT_BYTES, TARGETS};
use coffer_tests::proof::chance::Chance;

/// Bent copies of each input.
const BENT: u64 = 1;

#[test]
fn no_kept_input_nor_one_bent_from_it_fails_any_parser() {
    for (place, target) in (0_u64..).zip(TARGETS) {
        let inputs = [target.corpus(), (target.seeds)()].concat();
        for (number, input) in (0_u64..).zip(inputs) {
            (target.feed)(&input);
            for copy in 0..BENT {
                let mut chance = Chance::new((place << 40) | (number << 8) | copy);
                (target.feed)(&bent(&input, &mut chance));
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    for target in TARGETS {
        let corpus = target.corpus();
        assert!(!corpus.is_empty(), "{} has no corpus: run ./x prove fuzz", target.name);
        assert!(corpus.iter().all(|input| input.len() <= KEPT_BYTES), "{}", target.name);
    }
    let folder = TARGETS[0].corpus_file().parent().expect("a file is in a folder").to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        assert!(TARGETS.iter().any(|target| target.corpus_file() == file), "{}", file.display());
    }
}

/// One byte changed, a piece left out, or a piece doubled.
fn bent(input: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = input.to_vec();
    if bytes.is_empty() {
        return bytes;
    }
    let at = |chance: &mut Chance, below: usize| usize::try_from(chance.below(below as u64)).expect("an index");
    let start = at(chance, bytes.len());
    let end = start + at(chance, (bytes.len() - start).min(64)) + 1;
    match chance.below(3) {
        0 => bytes[start] = u8::try_from(chance.below(256)).expect("a byte"),
        1 => drop(bytes.drain(start..end)),
        _ => {
            let piece = bytes[start..end].to_vec();
            bytes.splice(start..start, piece);
        }
    }
    bytes
}
