use internal_notifications_server::store::Store;
use internal_notifications_server::store::sqlite::{SqliteOptions, SqliteStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;
use tracing::Level;

use crate::app::TestApp;
use crate::log::Log;
use crate::metrics::Scrape;

/// Returns a folder with a database in which the last server ran at this time.
async fn last_used(at: Timestamp) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let store = SqliteStore::open_file(&path, SqliteOptions::default()).await.unwrap();
    store.record_time(at, false).await.unwrap();
    store.close().await;
    folder
}

#[tokio::test]
async fn a_clock_in_doubt_is_logged_and_shown_and_an_operator_can_confirm_it() {
    for days in [60, -1] {
        let (log, _guard) = Log::capture(Level::WARN);
        let now = Timestamp::now();
        let folder = last_used(now - SignedDuration::from_hours(24 * days)).await;
        let app = TestApp::start_in(folder, |_| {}).await;
        let logged = log.lines("INTERNAL_NOTIFICATIONS_CONFIRM_CLOCK=");
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert!(logged[0].contains("ERROR"), "{logged:?}");
        let ready = app.get("ada", "/health/ready").await;
        assert_eq!((ready.status, ready.body), (200, json!({"status": "ready", "clock": "in_doubt"})));
        assert_eq!(Scrape::of(&app).await.get("clock_in_doubt"), 1.0);
        app.fill("ada", 1).await;
        assert_eq!(app.get("ada", "/v1/inbox").await.ids(), ["n1"]);

        // The log line names the value.
        let (_, value) = logged[0].split_once("CONFIRM_CLOCK=").unwrap();
        let confirmed: Timestamp = value.split_whitespace().next().unwrap().parse().unwrap();
        assert!((confirmed.duration_since(now)).abs() < SignedDuration::from_mins(5), "{confirmed}");
        let TestApp { server, folder, .. } = app;
        server.shutdown().await;
        let app = TestApp::start_in(folder, |config| config.confirm_clock = Some(confirmed)).await;
        assert_eq!(app.get("ada", "/health/ready").await.body, json!({"status": "ready"}));
        assert_eq!(Scrape::of(&app).await.get("clock_in_doubt"), 0.0);
        assert_eq!(log.lines("remove this setting").len(), 1);
    }
}

#[tokio::test]
async fn after_an_ordinary_stop_the_clock_is_not_in_doubt() {
    let (log, _guard) = Log::capture(Level::WARN);
    let folder = last_used(Timestamp::now() - SignedDuration::from_hours(72)).await;
    let app = TestApp::start_in(folder, |_| {}).await;
    assert_eq!(app.get("ada", "/health/ready").await.body, json!({"status": "ready"}));
    assert_eq!(log.lines("clock"), [""; 0]);
}
