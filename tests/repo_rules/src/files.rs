//! The repository's own files.

use crate::workspace::root;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what tools built or installed.
const BUILT: &[&str] = &["target", "node_modules", "dist", "dist-e2e", "test-results", "corpus", "artifacts"];

/// Every file of ours below `folder`, in order.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    assert!(!files.is_empty(), "{} has no files", folder.display());
    files
}

/// The path from the repository's root, with forward slashes.
pub(crate) fn relative(path: &Path) -> String {
    let root = root();
    path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

pub(crate) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|own| own == extension)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() && !name.starts_with('.') && !BUILT.contains(&name.as_ref()) {
            collect(&path, files);
        }
    }
}
