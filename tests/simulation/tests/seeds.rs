//! Every seed keeps every promise. `SIM_SEED=n` runs one seed and prints its trace, `SIM_SEEDS=n`
//! runs n seeds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use simulation::run;

/// The number of seeds, run in parts side by side.
const SEEDS: u64 = 600;
const PARTS: u64 = 4;

fn check_part(part: u64) {
    if let Some(seed) = number("SIM_SEED") {
        return if part == 0 {
            run_with_trace(seed)
        };
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    for seed in (0..seeds).filter(|seed| seed % PARTS == part) {
        let outcome = run(seed, None);
        let message = format!("SIM_SEED={seed} repeats it: {:#?}", outcome.problems);
        assert!(outcome.problems.is_empty(), "{message}");
    }
}

fn run_with_trace(seed: u64) {
    let outcome = run(seed, None);
    println!("{}\nseed {seed}, hash {:016x}", outcome.trace.join("\n"), outcome.hash);
    assert!(outcome.problems.is_empty(), "{:#?}", outcome.problems);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("it is a number"))
}

#[test]
fn the_first_quarter_of_the_seeds_keeps_all_promises() {
    check_part(0);
}

#[test]
fn the_second_quarter_of_the_seeds_keeps_all_promises() {
    check_part(1);
}

#[test]
fn the_third_quarter_of_the_seeds_keeps_all_promises() {
    check_part(2);
}

#[test]
fn the_last_quarter_of_the_seeds_keeps_all_promises() {
    check_part(3);
}
