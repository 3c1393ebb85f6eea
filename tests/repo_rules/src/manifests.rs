//! What each manifest of the workspace says.

use crate::files::read;
use crate::workspace::Workspace;
use toml::{Table, Value};

#[test]
fn every_member_has_the_workspaces_edition_licence_and_lints() {
    for package in Workspace::read().members() {
        let name = &package.name;
        assert_eq!(package.edition, "2024", "{name}");
        assert_eq!(package.license.as_deref(), Some("MIT OR Apache-2.0"), "{name}");
        assert!(package.description.as_ref().is_some_and(|text| !text.is_empty()), "{name}: no description");
        assert!(package.rust_version.is_some(), "{name}: no rust-version");
        let manifest: Table = read(&package.manifest_path).parse().expect("a manifest is TOML");
        assert!(inherits_lints(&manifest), "{name}: `[lints] workspace = true` is missing");
    }
}

fn inherits_lints(manifest: &Table) -> bool {
    let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    lints.and_then(Value::as_bool) == Some(true)
}
