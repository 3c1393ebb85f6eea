//! Every seed keeps every promise. `SIM_SEED=n` runs that one alone and prints its trace; `SIM_SEEDS=n` runs n of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use simulation::run;

/// Seeds of a run, in parts that run side by side.
const SEEDS: u64 = 600;
const PARTS: u64 = 4;

fn keeps_its_promises(part: u64) {
    if let Some(seed) = number("SIM_SEED") {
        return if part == 0 {
            repeated(seed)
        };
    }
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    for seed in (0..seeds).filter(|seed| seed % PARTS == part) {
        let outcome = run(seed, None);
        let told = format!("SIM_SEED={seed} repeats it: {:#?}", outcome.problems);
        assert!(outcome.problems.is_empty(), "{told}");
    }
}

fn repeated(seed: u64) {
    let outcome = run(seed, None);
    println!("{}\nseed {seed}, hash {:016x}", outcome.trace.join("\n"), outcome.hash);
    assert!(outcome.problems.is_empty(), "{:#?}", outcome.problems);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().expect("it is a number"))
}

#[test]
fn a_quarter_of_the_seeds_keeps_its_promises() {
    keeps_its_promises(0);
}

#[test]
fn another_quarter_of_the_seeds_keeps_its_promises() {
    keeps_its_promises(1);
}

#[test]
fn a_third_quarter_of_the_seeds_keeps_its_promises() {
    keeps_its_promises(2);
}

#[test]
fn the_last_quarter_of_the_seeds_keeps_its_promises() {
    keeps_its_promises(3);
}
