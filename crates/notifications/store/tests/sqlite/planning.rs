//! The query plans of the statements in the store's source.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row};

use crate::fixture::Fixture;

/// Scans the table, but reads only one row.
const FIRST_ROW: &str = "SELECT 1 FROM settings LIMIT 1";

#[tokio::test]
async fn no_statement_scans_a_table() {
    let fixture = Fixture::new().await;
    let mut connection = fixture.connect().await;
    let statements = statements();
    assert!(statements.len() > 40, "found only {} statements", statements.len());
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

/// Returns the complete statements in the source. The others only insert rows.
fn statements() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(folder.join("sqlite")).unwrap().map(|file| file.unwrap().path());
    // The parts that both databases share.
    let files = files.chain([folder.join("sql/row.rs")]).map(std::fs::read_to_string);
    let source = files.collect::<Result<Vec<_>, _>>().unwrap().concat();
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut code = code.collect::<Vec<_>>().join("\n");
    for part in ["change_columns", "join_added"] {
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

/// Returns the string literals, with those of one `concat!` joined.
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
