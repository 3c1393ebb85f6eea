//! Each planted bug is found within 200 seeds. Without it the same seeds find nothing (`seeds.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use simulation::{Bug, run};

const SEEDS: u64 = 200;

fn assert_found(bug: Bug) {
    let found = (0..SEEDS).find_map(|seed| {
        let problems = run(seed, Some(bug)).problems;
        (!problems.is_empty()).then_some((seed, problems))
    });
    let (seed, problems) = found.unwrap_or_else(|| panic!("{bug:?} was not found within {SEEDS} seeds"));
    println!("{bug:?} is found with seed {seed}: {problems:#?}");
}

#[test]
fn a_stale_authorization_is_found() {
    assert_found(Bug::StaleAuthorization);
}

#[test]
fn a_mark_before_the_publication_is_found() {
    assert_found(Bug::MarkedBeforePublished);
}

#[test]
fn a_missing_position_check_is_found() {
    assert_found(Bug::NoPositionCheck);
}

#[test]
fn an_intent_handled_twice_is_found() {
    assert_found(Bug::IntentTwice);
}

#[test]
fn an_announcement_before_it_is_kept_is_found() {
    assert_found(Bug::AnnouncedBeforeKept);
}

#[test]
fn a_queued_write_that_is_not_kept_is_found() {
    assert_found(Bug::QueuedBeforeKept);
}

#[test]
fn a_log_trimmed_above_a_reader_is_found() {
    assert_found(Bug::TrimmedAboveReader);
}
