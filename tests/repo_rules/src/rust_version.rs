//! Each `rust-version` is as low as the dependencies allow.

use crate::workspace::{Workspace, tree};
use std::collections::BTreeMap;

/// The first Rust with edition 2024.
const LOWEST: (u64, u64) = (1, 85);

/// This crate's optional feature needs a newer Rust than the crate does, as its manifest says. Only
/// the server turns that feature on.
const WITHOUT_FEATURES: &str = "internal-notifications-models";

#[test]
fn rust_version_is_as_low_as_the_dependencies_allow() {
    let workspace = Workspace::read();
    let members = workspace.members();
    let others =
        workspace.packages.iter().filter(|package| members.iter().all(|ours| ours.name != package.name));
    let declared: BTreeMap<String, (u64, u64)> = others
        .filter_map(|package| {
            let version = minor(package.rust_version.as_deref()?);
            Some((format!("{} v{}", package.name, package.version), version))
        })
        .collect();

    let mut wrong = Vec::new();
    for package in workspace.published() {
        let all = ["--edges", "normal,build", "--target", "all", "--all-features"];
        let without = all.len() - usize::from(package.name == WITHOUT_FEATURES);
        let tree = tree(&package.name, &all[..without]);
        let ((major, minor), by) = lowest(tree.iter().map(String::as_str), &declared);
        let needed = format!("{major}.{minor}");
        if package.rust_version.as_deref() != Some(&needed) {
            let declared = package.rust_version.as_deref().unwrap_or("none");
            wrong.push(format!("{}: {declared}, but {needed} is needed ({by})", package.name));
        }
    }
    assert!(wrong.is_empty(), "change rust-version:\n{}", wrong.join("\n"));
}

/// The lowest version that builds this tree, and the dependency that needs it.
fn lowest<'a>(
    tree: impl Iterator<Item = &'a str>,
    declared: &BTreeMap<String, (u64, u64)>,
) -> ((u64, u64), &'a str) {
    tree.fold((LOWEST, "edition 2024"), |found, dependency| match declared.get(dependency) {
        Some(version) if *version > found.0 => (*version, dependency),
        _ => found,
    })
}

/// The major and minor number: `1.88.0` and `1.88` are the same to us.
pub(crate) fn minor(version: &str) -> (u64, u64) {
    let mut numbers = version.split('.').map(|number| number.parse().expect("a version is made of numbers"));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[test]
fn the_dependency_that_needs_the_newest_rust_decides() {
    let declared = [("a v1.0.0", "1.60"), ("b v2.0.0", "1.91.1"), ("c v1.0.0", "1.99")];
    let declared = declared.map(|(name, version)| (name.to_owned(), minor(version))).into();
    assert_eq!(lowest(["a v1.0.0", "b v2.0.0"].into_iter(), &declared), ((1, 91), "b v2.0.0"));
    assert_eq!(lowest(["a v1.0.0"].into_iter(), &declared), (LOWEST, "edition 2024"));
}
