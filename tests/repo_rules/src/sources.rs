//! What the crates' sources hold.

use crate::workspace::{Package, Workspace};
use std::fs;
use std::path::{Path, PathBuf};

const LIB_LINES: usize = 80;

#[test]
fn nothing_is_left_to_do() {
    let mut found = Vec::new();
    for file in sources() {
        let text = fs::read_to_string(&file).expect("a source is text");
        found.extend(unfinished(&text).map(|line| format!("{}: {line}", file.display())));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn lib_rs_is_docs_mods_and_uses() {
    for file in sources().iter().filter(|file| file.ends_with("src/lib.rs")) {
        let lines = fs::read_to_string(file).expect("a source is text").lines().count();
        assert!(lines < LIB_LINES, "{}: {lines} lines, under {LIB_LINES} is right", file.display());
    }
}

fn unfinished(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.contains("todo!") || line.contains("unimplemented!"))
}

fn sources() -> Vec<PathBuf> {
    let workspace = Workspace::read();
    let members = workspace.members();
    let files: Vec<PathBuf> =
        members.into_iter().filter(|package| package.in_crates()).flat_map(sources_of).collect();
    assert!(!files.is_empty(), "the crates have sources");
    files
}

/// Every Rust file under the package's `src`.
pub(crate) fn sources_of(package: &Package) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&package.folder().join("src"), &mut files);
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a crate has a folder src") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn an_unfinished_line_is_found() {
    let text = "fn a() {}\nfn b() { todo!(\"later\") }\nfn c() { unimplemented!() }\n";
    assert_eq!(unfinished(text).count(), 2);
}
