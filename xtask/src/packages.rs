//! The crates that are published: each compiles by itself, and can be packaged.

use crate::runner::Step;
use crate::tools::cargo;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles each crate with its own features alone: in the workspace's build, another crate may
/// turn on a feature that its manifest lacks. Then packages all, without compiling the packages:
/// that would build everything again, and cargo would reuse the unpacked crates of an earlier run.
pub(crate) fn step(root: &Path) -> Step {
    let mut commands: Vec<_> = crates(root).iter().map(|folder| check(folder)).collect();
    commands.push(cargo(["publish", "--workspace", "--dry-run", "--no-verify", "--quiet", "--allow-dirty"]));
    Step::new("packages of crates", commands)
}

fn check(folder: &Path) -> Command {
    let mut command = cargo(["check", "--quiet", "--manifest-path"]);
    command.arg(folder.join("Cargo.toml"));
    command
}

/// Returns the folders of all crates in both wings, in order.
fn crates(root: &Path) -> Vec<PathBuf> {
    let folders = |of: &Path| fs::read_dir(of).into_iter().flatten().flatten().map(|entry| entry.path());
    let wings: Vec<_> = folders(&root.join("crates")).collect();
    let mut crates: Vec<_> = wings.iter().flat_map(|wing| folders(wing)).collect();
    crates.retain(|folder| folder.join("Cargo.toml").is_file());
    crates.sort();
    crates
}
