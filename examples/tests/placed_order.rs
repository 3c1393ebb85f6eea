//! Runs the example with its own database, with crashes before and after the commit.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::Path;

use internal_notifications::InternalNotifications;
use internal_notifications_testkit::server::TestServer;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::process::Command;

#[tokio::test]
async fn a_crash_leaves_both_the_order_and_its_notification_or_neither() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    // No server runs yet. When one starts, it delivers the committed notifications.
    assert!(place(&file, "1", "").await);
    assert!(!place(&file, "2", "before").await, "it crashes");
    assert!(!place(&file, "3", "after").await, "it crashes");

    let url = format!("sqlite://{}", file.display());
    let server = TestServer::start_with(|config| config.outboxes = vec![url.parse().unwrap()]).await.unwrap();
    let token = server.token(&"ada".parse().unwrap());
    let inbox = InternalNotifications::builder().url(server.base_url()).user("ada", token).build().unwrap();
    inbox.init().await.unwrap();
    assert!(!place(&file, "4", "before").await, "it crashes");
    assert!(place(&file, "5", "").await);
    inbox.wait_for(|now| now.pending == 3).await;

    let notified: Vec<_> =
        inbox.snapshot().notifications.iter().rev().filter_map(|row| row.heading.clone()).collect();
    assert_eq!(notified, ["Order 1", "Order 3", "Order 5"]);
    assert_eq!(orders(&file).await, ["1", "3", "5"]);
}

async fn orders(file: &Path) -> Vec<String> {
    let mut shop: SqliteConnection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::query_scalar("SELECT number FROM orders ORDER BY number").fetch_all(&mut shop).await.unwrap()
}

/// Returns whether the command succeeded.
async fn place(file: &Path, number: &str, crash: &str) -> bool {
    let mut app = Command::new(env!("CARGO_BIN_EXE_placed_order"));
    let output = app.arg(file).args([number, "ada"]).env("CRASH", crash).output().await.unwrap();
    output.status.success()
}
