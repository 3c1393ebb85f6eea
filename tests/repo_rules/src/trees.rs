//! What a backend that only signs has to compile.

use crate::workspace::tree;

#[test]
fn the_signer_has_few_dependencies_and_no_runtime() {
    let tree = tree("pusher-signer", &["--edges", "normal"]);
    assert!(tree.len() <= 30, "{} crates, at most 30 are allowed: {tree:#?}", tree.len());
    for banned in ["tokio", "reqwest", "axum", "hyper", "url"] {
        let found = tree.iter().find(|line| line.split(' ').next() == Some(banned));
        assert_eq!(found, None, "pusher-signer depends on {banned}");
    }
    let has_sha2 = tree.iter().any(|line| line.starts_with("sha2 "));
    assert!(has_sha2, "this is not the tree of pusher-signer: {tree:#?}");
}
