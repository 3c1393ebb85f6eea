//! The query plans of the statements that find what is due, as the store's connections make them.

use std::path::Path;

use sqlx::AssertSqlSafe;

use crate::fixture::Schema;

/// Rows that are due at the same time, without statistics about them.
const ROWS: &str = "INSERT INTO scheduled SELECT n % 3, 'user-' || n, 5 FROM generate_series(1, 30000) n;
    INSERT INTO deliveries SELECT n, 1, n % 3, 0 FROM generate_series(1, 30000) n;
    INSERT INTO notifications (id, sender, digest, body, created_at) SELECT n, '', '', '', 0 FROM generate_series(1, 30000) n;
    INSERT INTO withdrawals SELECT n, 5, 'expired' FROM generate_series(1, 30000) n";

#[tokio::test]
async fn the_first_rows_that_are_due_are_read_in_the_order_of_an_index() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    schema.sql(ROWS).await;
    let mut connection = schema.connect().await;
    let settings = literals("connect.rs").into_iter().find(|text| text.starts_with("SET enable")).unwrap();
    for settings in [settings.as_str(), "SET plan_cache_mode = force_generic_plan"] {
        sqlx::raw_sql(AssertSqlSafe(settings.to_owned())).execute(&mut connection).await.unwrap();
    }
    let statements = ["deliver.rs", "withdraw.rs", "retract.rs"].map(literals).concat();
    let reads = |text: &&String| text.contains("LIMIT $") || text.contains(" deliveries ");
    let limited: Vec<_> = statements.iter().filter(reads).collect();
    assert!(limited.len() >= 6, "found only {} statements", limited.len());
    for (place, statement) in limited.into_iter().enumerate() {
        let sql = AssertSqlSafe(format!("PREPARE statement_{place} AS {statement}"));
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let parameters = (1..10).filter(|number| statement.contains(&format!("${number}"))).count();
        let nulls = vec!["NULL"; parameters].join(", ");
        let sql = AssertSqlSafe(format!("EXPLAIN EXECUTE statement_{place} ({nulls})"));
        let plan: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap();
        assert_eq!(fault(&plan), None, "{statement}\n{}", plan.join("\n"));
    }
    drop(store);
}

/// Returns the first step that reads more than the rows that are needed.
fn fault(plan: &[String]) -> Option<&str> {
    let mut limits: Vec<usize> = Vec::new();
    for step in plan.iter().filter(|line| line.contains("(cost=")) {
        let depth = step.len() - step.trim_start().len();
        limits.retain(|limit| *limit < depth);
        let below_a_limit = !limits.is_empty() && ["Sort ", "Bitmap "].iter().any(|what| step.contains(what));
        // Whatever else is in the inboxes.
        let other_index = ["Seq Scan", "deliveries_kept", "deliveries_pkey"];
        if below_a_limit || other_index.iter().any(|what| step.contains(what)) {
            return Some(step);
        }
        if step.contains("Limit ") {
            limits.push(depth);
        }
    }
    None
}

/// Returns the string literals of a file of the store.
fn literals(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/postgres").join(file);
    let source = std::fs::read_to_string(path).unwrap();
    let code: Vec<_> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.join("\n").split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
