//! Let chains need Rust 1.88. Neither cargo nor clippy finds one under a lower `rust-version`.

use crate::files::{below, has_extension, read, relative};
use crate::rust_version::minor;
use crate::workspace::Workspace;

#[test]
fn no_crate_below_rust_1_88_uses_a_let_chain() {
    let mut found = Vec::new();
    for package in Workspace::read().published() {
        if package.rust_version.as_deref().map(minor) >= Some((1, 88)) {
            continue;
        }
        let sources = below(&package.folder().join("src"));
        for file in sources.iter().filter(|file| has_extension(file, "rs")) {
            let chains = let_chains(&read(file));
            found.extend(chains.into_iter().map(|chain| format!("{}: {chain}", relative(file))));
        }
    }
    assert!(found.is_empty(), "nest these instead, or use let-else:\n{}", found.join("\n"));
}

/// The conditions that chain a `let` with something else.
fn let_chains(text: &str) -> Vec<String> {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let code = code.collect::<Vec<_>>().join(" ");
    let after_if = code.split(" if ").skip(1).chain(code.split(" while ").skip(1));
    after_if.filter_map(condition).filter(|condition| condition.contains("let ")).collect()
}

/// A chained condition up to its block, without anything in brackets; `None` if it is not chained.
fn condition(code: &str) -> Option<String> {
    let (mut depth, mut unbracketed) = (0_usize, String::new());
    for letter in code.chars() {
        match letter {
            '{' if depth == 0 && (unbracketed.contains(" = ") || !unbracketed.starts_with("let ")) => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' | ',' if depth == 0 => break,
            _ if depth == 0 => unbracketed.push(letter),
            _ => {}
        }
    }
    unbracketed.contains("&&").then_some(unbracketed)
}

#[test]
fn a_let_chain_is_distinguished_from_a_plain_if_let() {
    let chains = [
        "fn f() { if let Some(a) = b && c { } }",
        "fn f() {\n    if a.is_empty()\n        && let Some(b) = c\n    {\n    }\n}",
        "fn f() { while let Point { x, .. } = p && x > 1 { } }",
    ];
    for chain in chains {
        assert_eq!(let_chains(chain).len(), 1, "{chain}");
    }
    let plain = [
        "fn f() { if let Some(a) = b.filter(|b| c && d) { } if a && b { let c = 1; } }",
        "fn f() { let a = if b && c { 1 } else { 2 }; if let Point { x } = p { let d = x && y; } }",
        "// and if let Some(a) = b && c\nfn f() { if a { } }",
    ];
    for plain in plain {
        assert_eq!(let_chains(plain), Vec::<String>::new(), "{plain}");
    }
}
