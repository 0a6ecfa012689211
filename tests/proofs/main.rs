//! A short slice of each long proof, the same every time. `./x prove` runs the whole.

use coffer_tests::proof::archive::{self, Scale};
use coffer_tests::proof::{Extent, Outcome, faults, flips, kills, people};

fn slice(first_seed: u64, rounds: u64) -> Extent {
    Extent { first_seed, rounds, until: None }
}

fn assert_proved(outcome: &Outcome) {
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    assert!(outcome.rounds > 0);
}

#[test]
fn kills_lose_nothing_acknowledged() {
    assert_proved(&kills::prove(slice(0, 10)));
}

#[test]
fn kills_shut_nobody_out_and_let_nobody_back_in() {
    assert_proved(&people::prove(slice(0, 6)));
}

#[test]
fn a_failing_disk_a_kill_and_a_loss_of_power_leave_all_or_nothing() {
    assert_proved(&faults::prove(slice(0, 14)));
}

#[test]
fn one_failed_write_does_not_make_a_vault_damaged() {
    assert_proved(&faults::prove_failing_tenant_writes());
}

#[test]
fn a_loss_of_power_while_closing_does_not_make_a_vault_damaged() {
    assert_proved(&faults::prove_losses_while_closing());
}

#[test]
fn a_flipped_bit_is_detected_or_changes_nothing() {
    let header = flips::prove(slice(100, 60));
    assert_proved(&header);
    assert_proved(&flips::prove(slice(1_000_000, 120)));
    // Else the proof would prove nothing.
    assert!(header.counts["detected in a vault"] > 30, "{:?}", header.counts);
}

#[test]
fn every_new_name_is_synced_with_its_folder() {
    let stages = faults::stages();
    let lost: Vec<String> = stages.iter().flat_map(faults::names_not_synced).collect();
    assert!(lost.is_empty(), "{lost:#?}");
}

#[test]
fn a_tenant_that_went_out_as_an_archive_comes_back_equal_in_little_memory() {
    assert_proved(&archive::prove(slice(0, 1), Scale::SLICE));
}
