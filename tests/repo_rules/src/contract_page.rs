//! `docs/contract.md` repeats the contract of a service as it stands in the trait's docs.

use crate::files;
use crate::workspace::root;

const SOURCE: &str = "crates/notifications/service/src/service.rs";
const PAGE: &str = "docs/contract.md";

#[test]
fn the_page_repeats_the_contract_and_the_trait() {
    let read = |file: &str| files::read(&root().join(file));
    let (source, page) = (read(SOURCE), read(PAGE));
    for part in [bullets(&source), signatures(&source)] {
        assert!(page.contains(&part), "copy this from {SOURCE} into {PAGE}:\n{part}");
    }
}

/// The numbered bullets below their headings, one line each.
fn bullets(source: &str) -> String {
    let (_, docs) = source.split_once("/// # Contract\n").expect("the contract has a heading");
    let lines = docs.lines().map_while(|line| line.strip_prefix("///")).map(str::trim_end);
    let mut page = String::new();
    for line in lines {
        match line.strip_prefix(' ') {
            None => page.push_str("\n\n"),
            Some(text) if text.starts_with(' ') => page.extend([" ", text.trim_start()]),
            Some(text) if text.starts_with(|start: char| start.is_ascii_digit()) => {
                page.extend([if page.ends_with("\n\n") { "" } else { "\n" }, text]);
            }
            Some(heading) => page.extend(["## ", heading]),
        }
    }
    without_links(page.trim()) + "\n"
}

/// The trait with its docs, as Rust code.
fn signatures(source: &str) -> String {
    let start = "#[async_trait]\npub trait";
    let (_, rest) = source.split_once(start).expect("the trait is here");
    let (body, _) = rest.split_once("\n}\n").expect("the trait ends");
    format!("```rust\n{start}{}\n}}\n```\n", without_links(body))
}

/// Leaves of each link to an item only the item's name.
fn without_links(text: &str) -> String {
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let start = plain.rfind('[').expect("a link begins with a bracket");
        plain.remove(start);
        plain.push_str(part.split_once(')').expect("a link ends with a parenthesis").1);
    }
    plain
}

#[test]
fn a_page_is_made_of_the_docs_of_a_trait() {
    let source = "/// # Contract\n///\n/// First\n///\n/// 1. One is\n///    [`A`](crate::A).\n/// 2. Two.\n///\n/// Second\n///\n/// 3. Three.\n#[async_trait]\npub trait T {\n    /// See [`a`](Self::a).\n    fn a(&self);\n}\n";
    assert_eq!(bullets(source), "## First\n\n1. One is `A`.\n2. Two.\n\n## Second\n\n3. Three.\n");
    assert_eq!(
        signatures(source),
        "```rust\n#[async_trait]\npub trait T {\n    /// See `a`.\n    fn a(&self);\n}\n```\n"
    );
}
