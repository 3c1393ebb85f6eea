//! `rust-version` is as low as the dependencies allow.

use crate::workspace::{Workspace, tree};
use std::collections::BTreeMap;

/// Edition 2024 came with it.
const LOWEST: (u64, u64) = (1, 85);

/// A crate with a feature that asks for a newer Rust than the crate does, and says so in its manifest. Only the server turns it on.
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
        let (needed, by) = lowest(tree.iter().map(String::as_str), &declared);
        if package.rust_version.as_deref().map(minor) != Some(needed) {
            let (major, minor) = needed;
            let stands = package.rust_version.as_deref().unwrap_or("none");
            wrong.push(format!("{}: {stands} stands there, {major}.{minor} is right ({by})", package.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lowest version that builds this tree, and who asks for it.
fn lowest<'a>(
    tree: impl Iterator<Item = &'a str>,
    declared: &BTreeMap<String, (u64, u64)>,
) -> ((u64, u64), &'a str) {
    tree.fold((LOWEST, "edition 2024"), |found, dependency| match declared.get(dependency) {
        Some(version) if *version > found.0 => (*version, dependency),
        _ => found,
    })
}

/// `1.88.0` and `1.88` are the same to us.
pub(crate) fn minor(version: &str) -> (u64, u64) {
    let mut numbers = version.split('.').map(|number| number.parse().expect("a version is numbers"));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[test]
fn the_dependency_that_asks_for_most_decides() {
    let declared = [("a v1.0.0", "1.60"), ("b v2.0.0", "1.91.1"), ("c v1.0.0", "1.99")];
    let declared = declared.map(|(name, version)| (name.to_owned(), minor(version))).into();
    assert_eq!(lowest(["a v1.0.0", "b v2.0.0"].into_iter(), &declared), ((1, 91), "b v2.0.0"));
    assert_eq!(lowest(["a v1.0.0"].into_iter(), &declared), (LOWEST, "edition 2024"));
}
