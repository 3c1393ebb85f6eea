//! Let chains came with Rust 1.88; neither cargo nor clippy finds one under a lower `rust-version`.

use crate::rust_version::minor;
use crate::sources::sources_of;
use crate::workspace::Workspace;
use std::fs;

#[test]
fn no_let_chain_stands_where_rust_version_is_below_1_88() {
    let mut found = Vec::new();
    for package in Workspace::read().published() {
        if package.rust_version.as_deref().map(minor) >= Some((1, 88)) {
            continue;
        }
        for file in sources_of(package) {
            let text = fs::read_to_string(&file).expect("a source is text");
            found.extend(let_chains(&text).into_iter().map(|chain| format!("{}: {chain}", file.display())));
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

/// A chained condition up to its block, without what stands in brackets; `None` if it is not chained.
fn condition(code: &str) -> Option<String> {
    let (mut depth, mut outside) = (0_usize, String::new());
    for letter in code.chars() {
        match letter {
            '{' if depth == 0 && (outside.contains(" = ") || !outside.starts_with("let ")) => break,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' | ',' if depth == 0 => break,
            _ if depth == 0 => outside.push(letter),
            _ => {}
        }
    }
    outside.contains("&&").then_some(outside)
}

#[test]
fn a_let_chain_is_told_from_a_plain_if_let() {
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
