//! `cargo xtask mutants`: changes one line of a crate at a time, and runs that crate's own tests.

use crate::tools;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// The crates with the rules, each with the files to mutate; all of them if none are named.
const CRATES: &[(&str, &[&str])] = &[
    ("pusher-protocol", &[]),
    ("pusher-signer", &[]),
    ("internal-notifications-models", &[]),
    ("internal-notifications-service", &[]),
    ("internal-notifications-store", RULES_OF_STORES),
];

/// What every store decides alike.
const RULES_OF_STORES: &[&str] = &[
    "crates/notifications/store/src/rules/**",
    "crates/notifications/store/src/advanced.rs",
    "crates/notifications/store/src/digest.rs",
    "crates/notifications/store/src/idempotency.rs",
    "crates/notifications/store/src/retention.rs",
    "crates/notifications/store/src/sweep.rs",
];

/// The part of the mutants that a crate's own tests have to catch.
const PERCENT: usize = 95;

/// Tests the named crates, or all of them, and lists the mutants that their tests missed.
pub(crate) fn run(names: &[String]) -> ExitCode {
    let folder = tools::root().join("target/mutants");
    let chosen = |name: &str| names.is_empty() || names.iter().any(|chosen| chosen == name);
    if let Err(error) = fs::create_dir_all(&folder) {
        println!("cannot create {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    let mut succeeded = true;
    for (name, files) in CRATES.iter().filter(|(name, _)| chosen(name)) {
        let results = folder.join(name);
        let mut cargo = tools::cargo([]);
        cargo.args([
            "mutants",
            "--package",
            name,
            "--all-features",
            "--minimum-test-timeout",
            "60",
            "--colors",
            "never",
        ]);
        cargo.args(files.iter().flat_map(|file| ["--file", file])).arg("--output").arg(&results);
        // The service's model test is slow, and the tests with planted faults test only the tests.
        cargo.env("MODEL_SCHEDULES", "100").args(["--", "--", "--skip", "planted_faults"]);
        match cargo.current_dir(tools::root()).status().map(|status| status.code()) {
            // 2 and 3 mean that mutants were missed, or ran into the time limit.
            Ok(Some(0 | 2 | 3)) => succeeded &= report(name, &results.join("mutants.out")),
            _ => {
                println!("{name}: cargo mutants failed; see {}", results.display());
                succeeded = false;
            }
        }
    }
    if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints how many mutants were caught, and the missed ones. Returns whether enough were caught.
fn report(name: &str, results: &Path) -> bool {
    let lines = |file: &str| fs::read_to_string(results.join(file)).unwrap_or_default();
    let missed = lines("missed.txt");
    let caught = lines("caught.txt").lines().count() + lines("timeout.txt").lines().count();
    let all = caught + missed.lines().count();
    println!("{name}: {caught} of {all} mutants caught");
    missed.lines().for_each(|mutant| println!("  missed: {mutant}"));
    caught * 100 >= all * PERCENT
}
