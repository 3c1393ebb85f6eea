//! How SQLite would carry out the store's statements, which are read from its source.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row};

use crate::bench_store::Bench;

/// It reads one row.
const FIRST_ROW: &str = "SELECT 1 FROM settings LIMIT 1";

#[tokio::test]
async fn no_statement_reads_a_table_from_end_to_end() {
    let bench = Bench::new().await;
    let mut connection = bench.stranger().await;
    let statements = statements();
    assert!(statements.len() > 40, "{} were found", statements.len());
    let mut scans = Vec::new();
    for statement in statements.iter().filter(|statement| *statement != FIRST_ROW) {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&mut connection).await;
        for step in plan.unwrap_or_else(|error| panic!("{error}: {statement}")) {
            let step: String = step.get("detail");
            let small = ["SCAN CONSTANT ROW", "SCAN (subquery", "SCAN sqlite_schema"];
            let is_small =
                step.contains("VIRTUAL TABLE") || small.iter().any(|small| step.starts_with(small));
            if step.starts_with("SCAN ") && !is_small {
                scans.push(format!("{step}: {statement}"));
            }
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
}

/// Those that stand whole in the source; the others insert rows, and read nothing.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(folder.join("sqlite")).unwrap().map(|file| file.unwrap().path());
    // What both databases have in common stands beside them.
    let files = files.chain([folder.join("sql/row.rs")]).map(std::fs::read_to_string);
    let source = files.collect::<Result<Vec<_>, _>>().unwrap().concat();
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = code.collect::<Vec<_>>().join("\n");
    for part in ["change_columns", "join_added", "untidy_columns"] {
        let (_, definition) = code.split_once(&format!("macro_rules! {part} ")).unwrap();
        let text = definition.split('"').nth(1).unwrap().to_owned();
        code = code.replace(&format!("{part}!()"), &format!("\"{text}\""));
    }
    texts(&code).into_iter().filter(|text| is_whole(text)).collect()
}

fn is_whole(text: &str) -> bool {
    let inserts = text.starts_with("INSERT INTO ") && (text.contains("SELECT") || text.contains("VALUES"));
    inserts || ["SELECT ", "UPDATE ", "DELETE "].iter().any(|word| text.starts_with(word))
}

/// The string literals, those of one `concat!` as one.
fn texts(code: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut open = false;
    for (place, part) in code.split('"').enumerate() {
        match place % 2 {
            0 if part.contains("concat!(") => {
                texts.push(String::new());
                open = true;
            }
            0 => open = open && part.trim().trim_matches(',').trim().is_empty(),
            _ if open => texts.last_mut().unwrap().push_str(part),
            _ => texts.push(part.to_owned()),
        }
    }
    texts
}
