use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tracing::Level;

use crate::app::TestApp;
use crate::log::Log;
use crate::metrics::Scrape;
use crate::websocket::Socket;

async fn sql(app: &TestApp) -> SqliteConnection {
    let path = app.folder.path().join("inbox.db");
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

#[tokio::test]
async fn a_wrong_count_is_repaired_published_and_logged_as_an_error() {
    let (log, _guard) = Log::capture(Level::INFO);
    let app = TestApp::start_with(|config| config.sweep_interval = Duration::from_secs(1)).await;
    let mut socket = Socket::connect(&app).await;
    socket.subscribe(&app, "ada").await;
    app.fill("ada", 2).await;
    for _ in 0..2 {
        socket.next().await;
    }
    let mut raw = sql(&app).await;
    sqlx::query("UPDATE inboxes SET pending = 5 WHERE user_id = 'ada'").execute(&mut raw).await.unwrap();

    let (event, data) = socket.next().await;
    assert_eq!(event, "internal-notifications-changed");
    assert_eq!((data["kind"].as_str(), data["reason"].as_str()), (Some("removed"), Some("recounted")));
    assert_eq!((&data["inbox"]["seq"], &data["inbox"]["pending"]), (&3.into(), &2.into()));
    assert_eq!(app.get("ada", "/v1/inbox/head").await.body["pending"], 2);
    let pending: i64 = sqlx::query_scalar("SELECT pending FROM inboxes").fetch_one(&mut raw).await.unwrap();
    assert_eq!(pending, 2);
    raw.close().await.unwrap();

    let repaired = async || Scrape::of(&app).await.get("count_drift_repaired_total");
    while repaired().await < 1.0 {}
    let errors = log.lines("ERROR");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("user.id=ada") && errors[0].contains("counter=5"), "{errors:?}");
    // The next pass finds nothing.
    while Scrape::of(&app).await.get("count_drift") > 0.0 {}
    assert_eq!(repaired().await, 1.0);
    app.server.shutdown().await;
    assert_eq!(log.lines("ERROR").len(), 1);
}
