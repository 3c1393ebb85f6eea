//! A published README is read on the registry's page and in rustdoc, where the repository's files
//! are not beside it.

use crate::files::read;
use crate::workspace::{Package, Workspace, root};

#[test]
fn readmes_of_packages_link_nowhere_into_the_repository() {
    let workspace = Workspace::read();
    let crates = workspace.published().into_iter().map(|package| package.folder().to_path_buf());
    let mut wrong = Vec::new();
    for folder in crates.chain([root().join("web")]) {
        let readme = read(&folder.join("README.md"));
        wrong.extend(relative_links(&readme).map(|link| format!("{}: {link}", folder.display())));
    }
    assert!(wrong.is_empty(), "write the whole https URL of:\n{}", wrong.join("\n"));
}

#[test]
fn readmes_of_crates_say_which_rust_they_need() {
    let workspace = Workspace::read();
    let packages = workspace.published().into_iter();
    let version = |package: &Package| format!("Rust {}", package.rust_version.as_deref().unwrap_or("?"));
    let silent =
        packages.filter(|package| !read(&package.folder().join("README.md")).contains(&version(package)));
    let silent: Vec<_> = silent.map(|package| format!("{}: {}", package.name, version(package))).collect();
    assert!(silent.is_empty(), "write where the dependencies are:\n{}", silent.join("\n"));
}

/// The targets of links and images that are paths. URLs, anchors and names of Rust items are none.
fn relative_links(markdown: &str) -> impl Iterator<Item = &str> {
    let inline = markdown.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let references = markdown.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    let targets = inline.chain(references.map(|(_, target)| target));
    targets.filter(|target| {
        !target.starts_with("https://") && !target.starts_with('#') && target.contains(['/', '.'])
    })
}

#[test]
fn readmes_of_crates_hide_no_line_of_their_examples() {
    let mut wrong = Vec::new();
    for package in Workspace::read().published() {
        let readme = read(&package.folder().join("README.md"));
        wrong.extend(hidden_lines(&readme).map(|line| format!("{}: {line}", package.name)));
    }
    assert!(wrong.is_empty(), "readers copy these too; make each example whole:\n{}", wrong.join("\n"));
}

/// The lines of Rust examples that rustdoc hides and a Markdown viewer shows.
fn hidden_lines(markdown: &str) -> impl Iterator<Item = &str> {
    let examples = markdown.split("\n```rust").skip(1).filter_map(|rest| rest.split("\n```").next());
    examples.flat_map(str::lines).filter(|line| *line == "#" || line.starts_with("# "))
}

#[test]
fn a_hidden_line_is_found() {
    let markdown =
        "# Title\n```toml\n# comment\n```\n```rust,no_run\n# fn a() {\n#[test]\nb();\n# }\n```\n# More\n";
    assert_eq!(hidden_lines(markdown).collect::<Vec<_>>(), ["# fn a() {", "# }"]);
}

#[test]
fn a_relative_link_is_found() {
    let markdown = "\
        ![picture](../docs/a.png) [docs](docs/a.md), [other](other.md \"title\")\n\
        [site](https://example.org/a.md) [below](#below) [item](Type::method)\n\
        [reference]: ../b.md\n[name]: crate::Type\n";
    let found: Vec<&str> = relative_links(markdown).collect();
    assert_eq!(found, ["../docs/a.png", "docs/a.md", "other.md", "../b.md"]);
}
