//! What each published package carries.

use crate::files::{below, has_extension, read};
use crate::workspace::{Workspace, root};
use std::path::{Component, Path, PathBuf};

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

#[test]
fn packages_include_no_file_from_outside() {
    let mut wrong = Vec::new();
    for package in Workspace::read().published() {
        for source in below(&package.folder().join("src")).iter().filter(|file| has_extension(file, "rs")) {
            let text = read(source);
            let outside =
                included(&text).filter(|path| !resolved(source, path).starts_with(package.folder()));
            wrong.extend(outside.map(|path| format!("{}: {path}", source.display())));
        }
    }
    assert!(wrong.is_empty(), "these packages lack a file that they include:\n{}", wrong.join("\n"));
}

/// Returns the path of an included file. Links stay: cargo packages the file that they lead to.
fn resolved(source: &Path, included: &str) -> PathBuf {
    let mut path = source.with_file_name("");
    for part in Path::new(included).components() {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
    }
    path
}

/// The paths in `include_str!("…")`, `include_bytes!("…")` and `#[path = "…"]`.
fn included(source: &str) -> impl Iterator<Item = &str> {
    let starts = ["include_str!(\"", "include_bytes!(\"", "#[path = \""];
    starts.into_iter().flat_map(|start| source.split(start).skip(1)).filter_map(|rest| rest.split('"').next())
}

#[test]
fn an_included_file_is_found() {
    let source = "const A: &str = include_str!(\"a.txt\"); #[path = \"../b.rs\"] mod b;";
    assert_eq!(included(source).collect::<Vec<_>>(), ["a.txt", "../b.rs"]);
    assert_eq!(resolved(Path::new("/a/src/c/d.rs"), "../../../b.txt"), Path::new("/b.txt"));
}
