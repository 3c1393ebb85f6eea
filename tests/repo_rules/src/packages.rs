//! What each published package carries.

use crate::files::read;
use crate::workspace::{Workspace, root};

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

#[test]
fn every_package_carries_its_licences() {
    let workspace = Workspace::read();
    let crates = workspace.published().into_iter().map(|package| package.folder().to_path_buf());
    // npm packs no symlinks, so that web/ has copies.
    for folder in crates.chain([root().join("web")]) {
        for licence in LICENCES {
            let packaged = folder.join(licence);
            assert!(packaged.is_file(), "{} is missing; link it to the root's", packaged.display());
            assert_eq!(read(&packaged), read(&root().join(licence)), "{}", packaged.display());
        }
    }
}

#[test]
fn every_package_says_what_a_registry_shows() {
    for package in Workspace::read().published() {
        let name = &package.name;
        let readme = package.readme.as_ref().map(|readme| package.folder().join(readme));
        assert!(readme.is_some_and(|readme| readme.is_file()), "{name} has no README.md");
        assert!(package.repository.is_some(), "{name}: `repository.workspace = true` is missing");
        assert!(!package.keywords.is_empty(), "{name} has no keywords");
        assert!(!package.categories.is_empty(), "{name} has no categories");
    }
}
