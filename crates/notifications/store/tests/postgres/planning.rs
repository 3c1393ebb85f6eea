//! The query plans of the sweep, whose statements must not read more than they need.

use sqlx::{AssertSqlSafe, Connection, Row};

use crate::fixture::Fixture;

/// Many notifications of which few are pending, and many removed ones.
const ROWS: &str = "INSERT INTO inboxes (user_id, seq, tag, pending, floor)
        SELECT 'user-' || n, 500, 1, 10, 400 FROM generate_series(1, 100) n;
    INSERT INTO deliveries (inbox, added, notification, created_at, opened_at, removed_at)
        SELECT i.key, n, n, n, CASE WHEN n % 50 > 0 THEN n END, CASE WHEN n % 3 = 0 THEN n END
        FROM inboxes i CROSS JOIN generate_series(1, 500) n;
    INSERT INTO changes (inbox, seq, tag, pending, at, detail)
        SELECT i.key, n, n, 1, n, '{}' FROM inboxes i CROSS JOIN generate_series(400, 500) n;
    INSERT INTO orphans (notification, at) SELECT n, n FROM generate_series(1, 10000) n;
    ANALYZE";

#[tokio::test]
async fn each_statement_of_a_sweep_reads_its_index() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.schema.sql(ROWS).await;
    let mut connection = fixture.schema.connect().await;
    // As the store's own connections.
    let settings =
        "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off;
                    SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut connection).await.unwrap();
    let sources = [
        include_str!("../../src/postgres/sweep.rs"),
        include_str!("../../src/postgres/cleanup.rs"),
        include_str!("../../src/postgres/orphans.rs"),
    ];
    let texts = sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2));
    let is_statement =
        |text: &&str| ["SELECT ", "UPDATE ", "DELETE ", "WITH "].iter().any(|word| text.starts_with(word));
    let mut inspections = 0;
    for (number, sql) in texts.filter(is_statement).enumerate() {
        let plan = plan(&mut connection, number, sql).await;
        assert!(!plan.contains("Seq Scan"), "{sql}\n{plan}");
        if sql.contains("AS has_forgettable") {
            inspections += 1;
            for index in ["deliveries_pending", "deliveries_kept", "deliveries_removed", "changes_pkey"] {
                assert!(plan.contains(index), "{index}:\n{plan}");
            }
            assert!(!plan.contains("deliveries_pkey"), "{plan}");
        }
        if sql.contains("FROM orphans WHERE (at") {
            assert!(plan.contains("using orphans_by_time") && !plan.contains("Sort"), "{plan}");
        }
    }
    assert_eq!(inspections, 1);
    connection.close().await.unwrap();
}

async fn plan(connection: &mut sqlx::PgConnection, number: usize, sql: &str) -> String {
    let prepare = AssertSqlSafe(format!("PREPARE s{number} AS {sql}"));
    sqlx::raw_sql(prepare).execute(&mut *connection).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let parameters = (1..).take_while(|parameter| sql.contains(&format!("${parameter}"))).count();
    let arguments = vec!["NULL"; parameters].join(", ");
    let arguments = if parameters == 0 { String::new() } else { format!("({arguments})") };
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE s{number}{arguments}"));
    let rows = sqlx::raw_sql(explain).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}
