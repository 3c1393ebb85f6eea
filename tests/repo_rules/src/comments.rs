//! Comments are narrow enough to read: they end at column 100.

use crate::files::{below, has_extension, read, relative};
use crate::workspace::root;

const LAST_COLUMN: usize = 100;

/// Extensions, and how the comments of that language start.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("rs", SLASHES),
    ("ts", SLASHES),
    ("js", SLASHES),
    ("mjs", SLASHES),
    ("css", SLASHES),
    ("sql", &["--"]),
    ("py", &["#"]),
    ("toml", &["#"]),
];

const SLASHES: &[&str] = &["//", "/*", "* "];

/// Databases record a checksum of each migration, so not even a comment of one may change.
const MIGRATIONS: &str = "crates/notifications/store/migrations/";

#[test]
fn comments_end_at_column_100() {
    let mut wrong = Vec::new();
    for file in below(&root()) {
        let Some((_, starts)) = LANGUAGES.iter().find(|(extension, _)| has_extension(&file, extension))
        else {
            continue;
        };
        let file_name = relative(&file);
        if file_name.starts_with(MIGRATIONS) {
            continue;
        }
        wrong.extend(too_long(&read(&file), starts).into_iter().map(|line| format!("{file_name}:{line}")));
    }
    assert!(wrong.is_empty(), "wrap these {} comments:\n{}", wrong.len(), wrong.join("\n"));
}

/// The numbers of the lines whose comment reaches beyond the last column.
fn too_long(text: &str, starts: &[&str]) -> Vec<usize> {
    let long = text.lines().zip(1..).filter(|(line, _)| line.chars().count() > LAST_COLUMN);
    long.filter(|(line, _)| comment(line, starts).is_some_and(can_wrap)).map(|(_, number)| number).collect()
}

/// The comment of a line: the whole line, or what follows its code.
fn comment<'a>(line: &'a str, starts: &[&str]) -> Option<&'a str> {
    let line = line.trim_start();
    if starts.iter().any(|start| line.starts_with(start)) {
        return Some(line);
    }
    let start = starts.first()?;
    let (code, comment) = line.rsplit_once(&format!(" {start} "))?;
    let is_in_a_string = ['"', '\'', '`'].iter().any(|quote| code.matches(*quote).count() % 2 == 1);
    (!is_in_a_string).then_some(comment)
}

/// Whether a comment has a place to break: a long URL has none.
fn can_wrap(comment: &str) -> bool {
    comment.split_whitespace().count() > 2
}

#[test]
fn a_comment_beyond_the_last_column_is_found() {
    let words = "word ".repeat(20);
    let wrong = [
        format!("/// {words}"),
        format!("    // {words}"),
        format!("     * {words}"),
        format!("let a = \"b\"; // {words}"),
    ];
    for line in wrong {
        assert_eq!(too_long(&format!("\n{line}"), SLASHES), [2], "{line}");
    }
    assert_eq!(too_long(&format!("-- {words}"), &["--"]), [1]);
}

#[test]
fn code_strings_and_single_long_words_may_be_longer() {
    let (words, word) = ("word ".repeat(20), "w".repeat(100));
    let right = [
        format!("let a = \"{words}\";"),
        format!("let a = \" // {words}\";"),
        format!("/// <https://{word}>"),
        format!("*a = {words}"),
    ];
    for line in right {
        assert_eq!(too_long(&line, SLASHES), Vec::<usize>::new(), "{line}");
    }
}
