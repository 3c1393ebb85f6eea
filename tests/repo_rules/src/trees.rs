//! What a tree must not hold.

use crate::workspace::{Package, Workspace, tree};

#[test]
fn the_signer_depends_on_little_and_on_no_runtime() {
    let tree = tree("pusher-signer", &["--edges", "normal"]);
    assert!(tree.len() <= 30, "{} crates, at most 30: {tree:#?}", tree.len());
    for banned in ["tokio", "reqwest", "axum", "hyper", "url"] {
        let found = tree.iter().find(|line| line.split(' ').next() == Some(banned));
        assert_eq!(found, None, "the signer's tree holds {banned}");
    }
    assert!(tree.iter().any(|line| line.starts_with("sha2 ")), "this is the signer's tree: {tree:#?}");
}

#[test]
fn ring_is_the_only_cryptography_under_tls() {
    let workspace = Workspace::read();
    for banned in ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls"] {
        assert_eq!(versions(&workspace.packages, banned), Vec::<&str>::new(), "{banned} is in the tree");
    }
}

#[test]
fn there_is_one_tungstenite() {
    let workspace = Workspace::read();
    for name in ["tungstenite", "tokio-tungstenite"] {
        let versions = versions(&workspace.packages, name);
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    }
}

fn versions<'a>(packages: &'a [Package], name: &str) -> Vec<&'a str> {
    packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect()
}
