//! The fuzzing step of `cargo xtask test --long`.

use crate::runner::Step;
use crate::tools;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn step(root: &Path) -> Step {
    let folder = root.join("fuzz");
    Step::new("fuzzing", targets(&folder).iter().map(|target| run(&folder, target)).collect())
        .needs(
            "nightly Rust (rustup toolchain install nightly --profile minimal)",
            tools::succeeds(nightly().args(["rustc", "--version"])),
        )
        .needs("cargo-fuzz (cargo install --locked cargo-fuzz)", tools::cargo_has("fuzz"))
        .needs("a C++ compiler", tools::has("c++"))
}

/// Returns the names of the fuzz targets, in order.
fn targets(folder: &Path) -> Vec<String> {
    let sources = fs::read_dir(folder.join("fuzz_targets")).into_iter().flatten().flatten();
    let name = |source: PathBuf| Some(source.file_stem()?.to_string_lossy().into_owned());
    let mut targets: Vec<_> = sources.filter_map(|source| name(source.path())).collect();
    targets.sort();
    targets
}

/// Fuzzes a target for thirty seconds, starting from the seeds and from what earlier runs found.
/// Our code has no `unsafe`, so no sanitizer is needed.
fn run(folder: &Path, target: &str) -> Command {
    let mut command = nightly();
    command.args(["cargo", "fuzz", "run", "--sanitizer", "none", target]);
    command.args([folder.join("corpus").join(target), folder.join("seeds").join(target)]);
    command.args(["--", "-create_missing_dirs=1", "-max_total_time=30", "-timeout=10", "-rss_limit_mb=1024"]);
    command.args(["-max_len=8192", "-verbosity=0", "-print_final_stats=1"]);
    let dictionary = folder.join("dictionaries").join(target).with_extension("dict");
    command.arg(format!("-dict={}", dictionary.display()));
    command
}

fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly"]);
    command
}
