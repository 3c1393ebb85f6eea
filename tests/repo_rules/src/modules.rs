//! How the sources are laid out in files.

use crate::files::{below, read, relative};
use crate::workspace::root;
use std::path::Path;

const LIB_LINES: usize = 80;

#[test]
fn a_module_is_in_a_file_of_its_own_name() {
    let found = below(&root()).into_iter().filter(|file| file.ends_with("mod.rs"));
    let found: Vec<String> =
        found.filter(|file| !is_shared_by_tests(file)).map(|file| relative(&file)).collect();
    assert!(found.is_empty(), "write `name.rs` beside `name/`, not `name/mod.rs`: {found:?}");
}

/// Cargo makes a test of every `tests/name.rs`, so that what tests share is in `tests/name/mod.rs`.
fn is_shared_by_tests(file: &Path) -> bool {
    file.ancestors().nth(2).is_some_and(|folder| folder.ends_with("tests"))
}

#[test]
fn lib_rs_holds_only_docs_modules_and_reexports() {
    let crates = below(&root().join("crates"));
    for file in crates.iter().filter(|file| file.ends_with("src/lib.rs")) {
        let (lines, name) = (read(file).lines().count(), relative(file));
        assert!(lines < LIB_LINES, "{name} has {lines} lines; move code out until it has under {LIB_LINES}");
    }
}
