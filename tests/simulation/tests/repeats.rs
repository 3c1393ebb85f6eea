//! The same seed gives the same run, in this process and in another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::process::Command;

use simulation::run;

/// Seeds that together have faults of every kind.
const SEEDS: std::ops::Range<u64> = 1000..1010;

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in SEEDS {
        let (first, again) = (run(seed, None), run(seed, None));
        let differs = first.trace.iter().zip(&again.trace).find(|(first, again)| first != again);
        assert_eq!((differs, first.hash), (None, again.hash), "SIM_SEED={seed}");
        assert!(first.trace.len() > 50, "too little happened");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_in_another_process() {
    const SEED: u64 = 1000;
    let hash = format!("{:016x}", run(SEED, None).hash);
    if std::env::var_os("SIM_CHILD").is_some() {
        println!("hash {hash}");
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("there is one"));
    let test = ["--exact", "the_same_seed_gives_the_same_trace_in_another_process", "--nocapture"];
    let output = child.args(test).env("SIM_CHILD", "1").output().expect("it runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains(&format!("hash {hash}")), "{stdout}");
}

#[test]
fn different_seeds_give_different_traces() {
    assert_ne!(run(1, None).hash, run(2, None).hash);
}
