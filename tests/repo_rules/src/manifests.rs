//! What each manifest says.

use crate::workspace::Workspace;
use std::fs;
use toml::{Table, Value};

#[test]
fn every_member_has_the_workspaces_edition_licence_and_lints() {
    for package in Workspace::read().members() {
        let name = &package.name;
        assert_eq!(package.edition, "2024", "{name}");
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(package.description.as_ref().is_some_and(|text| !text.is_empty()), "{name}: no description");
        assert!(package.rust_version.is_some(), "{name}: no rust-version");
        let manifest = fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
        let manifest: Table = manifest.parse().expect("a manifest is TOML");
        assert!(takes_the_workspaces_lints(&manifest), "{name}: [lints] workspace = true is missing");
    }
}

#[test]
fn every_published_crate_has_a_readme() {
    for package in Workspace::read().published() {
        let readme = package.readme.as_ref().map(|readme| package.folder().join(readme));
        assert!(readme.is_some_and(|readme| readme.is_file()), "{}: no README.md", package.name);
    }
}

#[test]
fn versions_stand_in_the_workspace_manifest_alone() {
    let mut wrong = Vec::new();
    for package in Workspace::read().members() {
        let manifest = fs::read_to_string(&package.manifest_path).expect("a member has a manifest");
        let manifest: Table = manifest.parse().expect("a manifest is TOML");
        wrong.extend(own_versions(&manifest).map(|dependency| format!("{}: {dependency}", package.name)));
    }
    assert!(wrong.is_empty(), "use `workspace = true`:\n{}", wrong.join("\n"));
}

fn takes_the_workspaces_lints(manifest: &Table) -> bool {
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    lints.and_then(Value::as_bool) == Some(true)
}

/// The dependencies that are neither the workspace's nor a path without a version.
fn own_versions(manifest: &Table) -> impl Iterator<Item = &str> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let holders = targets.filter_map(Value::as_table).chain([manifest]);
    let tables = holders.flat_map(|holder| {
        ["dependencies", "dev-dependencies", "build-dependencies"].map(|kind| holder.get(kind))
    });
    let dependencies = tables.flatten().filter_map(Value::as_table).flatten();
    dependencies.filter(|(_, dependency)| !is_shared(dependency)).map(|(name, _)| name.as_str())
}

fn is_shared(dependency: &Value) -> bool {
    let inherited = dependency.get("workspace").and_then(Value::as_bool) == Some(true);
    inherited || (dependency.get("path").is_some() && dependency.get("version").is_none())
}

#[test]
fn a_version_of_a_members_own_is_found_in_every_table() {
    let manifest = r#"
        dependencies = { plain = "1", table = { version = "1" }, shared = { workspace = true } }
        dev-dependencies = { git = { git = "https://example.org" }, near = { path = "../near" } }
        target."cfg(unix)".build-dependencies = { far = "2" }
    "#;
    let manifest: Table = manifest.parse().expect("it is TOML");
    let mut found: Vec<&str> = own_versions(&manifest).collect();
    found.sort_unstable();
    assert_eq!(found, ["far", "git", "plain", "table"]);
}
