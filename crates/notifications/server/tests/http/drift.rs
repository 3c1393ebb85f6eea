use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::app::TestApp;
use crate::metrics::Scrape;
use crate::websocket::Socket;

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn errors(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("ERROR")).map(str::to_owned).collect()
    }
}

async fn sql(app: &TestApp) -> SqliteConnection {
    let path = app.folder.path().join("inbox.db");
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

#[tokio::test]
async fn a_wrong_count_is_repaired_published_and_logged_as_an_error() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // The whole test runs on this thread.
    let _guard = tracing::subscriber::set_default(subscriber);

    let app = TestApp::start_with(|config| config.sweep_interval = Duration::from_millis(200)).await;
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
    let errors = log.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("user.id=ada") && errors[0].contains("counter=5"), "{errors:?}");
    // The next pass finds nothing.
    while Scrape::of(&app).await.get("count_drift") > 0.0 {}
    assert_eq!(repaired().await, 1.0);
    app.server.shutdown().await;
    assert_eq!(log.errors().len(), 1);
}
