//! The workspace as `cargo metadata` and `cargo tree` describe it.

use crate::files::relative;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Deserialize)]
pub(crate) struct Workspace {
    /// Every package of the whole tree, ours and other people's.
    pub(crate) packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) rust_version: Option<String>,
    pub(crate) edition: String,
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) readme: Option<PathBuf>,
    pub(crate) repository: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) publish: Option<Vec<String>>,
}

#[derive(Clone, Default, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// The version requirement; `*` if the manifest has none.
    pub(crate) req: String,
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let json = cargo(&["metadata", "--format-version", "1", "--all-features"]);
        serde_json::from_str(&json).expect("cargo metadata prints JSON with these fields")
    }

    pub(crate) fn members(&self) -> Vec<&Package> {
        let members: Vec<&Package> =
            self.packages.iter().filter(|package| self.workspace_members.contains(&package.id)).collect();
        assert_eq!(members.len(), self.workspace_members.len(), "every member is a package");
        members
    }

    pub(crate) fn published(&self) -> Vec<&Package> {
        let published: Vec<&Package> =
            self.members().into_iter().filter(|package| package.is_published()).collect();
        assert!(!published.is_empty(), "some crates are published");
        published
    }
}

impl Package {
    pub(crate) fn is_published(&self) -> bool {
        self.publish.as_ref().is_none_or(|registries| !registries.is_empty())
    }

    /// Whether it is a crate of one of the two wings, not a test, an example or a tool.
    pub(crate) fn in_crates(&self) -> bool {
        self.place().starts_with("crates/")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().expect("a manifest is a file in a folder")
    }

    /// The package's folder from the workspace's root, with forward slashes.
    pub(crate) fn place(&self) -> String {
        relative(self.folder())
    }
}

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace exists")
}

/// Everything in a package's tree as `name v1.2.3`, the package included.
pub(crate) fn tree(package: &str, more: &[&str]) -> BTreeSet<String> {
    let args = ["tree", "--package", package, "--no-dedupe", "--prefix", "none"];
    let lines = cargo(&[&args, more].concat());
    lines.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn cargo(args: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(args).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}
