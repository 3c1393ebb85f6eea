//! `cargo xtask test`.

use crate::plan::{self, Options};
use crate::runner::Step;
use crate::tools;
use std::process::ExitCode;

/// Runs the steps until one fails.
pub(crate) fn run(options: &Options) -> ExitCode {
    let root = tools::root();
    let steps = plan::steps(options, &root);
    if options.all {
        let missing = steps.iter().filter(|step| report_missing(step, "failed")).count();
        if missing > 0 {
            return finish(0, missing, 0);
        }
    }
    let (mut passed, mut skipped) = (0, 0);
    for step in steps {
        if report_missing(&step, "skipped") {
            skipped += 1;
            continue;
        }
        let name = step.name;
        println!("cargo xtask test: {name}");
        if let Err(why) = step.run(&root) {
            println!("cargo xtask test: {name} failed: {why}");
            return finish(passed, 1, skipped);
        }
        passed += 1;
    }
    finish(passed, 0, skipped)
}

/// Prints a line if this machine cannot run the step. Returns whether it did.
fn report_missing(step: &Step, outcome: &str) -> bool {
    let Some(missing) = step.missing() else { return false };
    println!("cargo xtask test: {} {outcome}: it needs {missing}", step.name);
    true
}

/// Prints the last line, and returns the exit status.
fn finish(passed: usize, failed: usize, skipped: usize) -> ExitCode {
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
