//! An app with a file storage is killed at any moment, while notifications come and it marks them.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use internal_notifications::models::UserId;
use internal_notifications::{
    Announcement, InboxClient, InternalNotification, InternalNotifications, StreamExt, Written,
};
use internal_notifications_testkit::server::TestServer;
use tempfile::TempDir;

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const STORAGE: &str = "INTERNAL_NOTIFICATIONS_STORAGE";

/// How often the app is killed.
const KILLS: u64 = 20;

fn say(what: &str, id: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{what} {id}").and_then(|()| output.flush()).unwrap();
}

/// Not a test, but the app that is killed: it prints what is announced, marks each notification
/// opened, and prints whether that is queued or stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_marks_what_comes() {
    if std::env::var_os("RESTARTS_TEST").is_none() {
        return;
    }
    let inbox = InternalNotifications::from_env().unwrap();
    let mut announcements = inbox.announcements();
    inbox.init().await.unwrap();
    say("started", &inbox.snapshot().notifications.len().to_string());
    let marking = inbox.clone();
    tokio::spawn(async move {
        let mut snapshots = marking.snapshots();
        while let Some(now) = snapshots.next().await {
            for row in now.notifications.iter().filter(|row| !row.opened) {
                if let Ok(written) = marking.mark_opened([&row.id]).await {
                    say(if written == Written::Stored { "stored" } else { "queued" }, row.id.as_str());
                }
            }
            if now.unconfirmed == 0 && now.pending == 0 {
                say("idle", &now.position.seq.to_string());
            }
        }
    });
    while let Some(announcement) = announcements.next().await {
        match announcement {
            Announcement::Notification(row) => say("announced", row.id.as_str()),
            other => say("unexpected", &format!("{other:?}")),
        }
    }
}

fn start(url: &str, token: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "an_app_that_marks_what_comes", "--nocapture"])
        .envs([("RESTARTS_TEST", "1"), (URL, url), (TOKEN, token)])
        .env(STORAGE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Returns the lines of an app until it is killed after a while.
fn lines_until_killed(mut app: Child, after: Duration) -> Vec<String> {
    let output = BufReader::new(app.stdout.take().unwrap());
    let reading = std::thread::spawn(move || output.lines().map_while(Result::ok).collect());
    std::thread::sleep(after);
    app.kill().unwrap();
    app.wait().unwrap();
    reading.join().unwrap()
}

fn said<'a>(lines: &'a [String], what: &'a str) -> impl Iterator<Item = &'a str> {
    lines.iter().filter_map(move |line| line.strip_prefix(what)?.strip_prefix(' '))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_killed_loses_nothing_and_announces_nothing_twice() {
    let server = TestServer::start().await.unwrap();
    let proxy = std::sync::Arc::new(server.proxy().await.unwrap());
    let ada: UserId = "ada".parse().unwrap();
    let (token, folder) = (server.token(&ada), TempDir::new().unwrap());
    let client = InboxClient::new(&server.base_url(), server.api_key()).unwrap();

    let pushing = tokio::spawn({
        let (proxy, ada) = (proxy.clone(), ada.clone());
        async move {
            let mut pushed = Vec::new();
            for number in 0..150 {
                let push = client.push(std::slice::from_ref(&ada), InternalNotification::new("c"));
                pushed.push(push.await.unwrap().id.to_string());
                // The app is without a server for a part of the time, so that it queues.
                match number % 30 {
                    10 => proxy.cut().await,
                    20 => proxy.mend(),
                    _ => {}
                }
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            proxy.mend();
            pushed
        }
    });
    let mut lines = Vec::new();
    // The first start needs the server.
    let url = proxy.url();
    for round in 0..KILLS {
        let app = start(&url, &token, folder.path());
        let after = Duration::from_millis(150 + 131 * (round * round) % 700);
        lines.extend(tokio::task::spawn_blocking(move || lines_until_killed(app, after)).await.unwrap());
    }
    let pushed = pushing.await.unwrap();
    let app = start(&url, &token, folder.path());
    let last = tokio::task::spawn_blocking(move || lines_until_killed(app, Duration::from_secs(15)));
    lines.extend(last.await.unwrap());

    let announced: Vec<_> = said(&lines, "announced").collect();
    let distinct: BTreeSet<_> = announced.iter().collect();
    assert_eq!(announced.len(), distinct.len(), "announced twice: {lines:?}");
    assert!(announced.len() > 50, "only {} were announced", announced.len());
    assert_eq!(said(&lines, "unexpected").collect::<Vec<_>>(), Vec::<&str>::new());
    let queued = said(&lines, "queued").count();
    assert!(queued > 0, "nothing was queued");

    let other = InternalNotifications::builder().url(server.base_url()).user("ada", &token).build().unwrap();
    other.init().await.unwrap();
    let now = other.snapshot();
    let stored: Vec<_> = now.notifications.iter().rev().map(|row| row.id.to_string()).collect();
    assert_eq!(stored, pushed, "each is stored once, in order");
    let is_pending = |id: &str| now.notifications.iter().any(|row| row.id.as_str() == id && !row.opened);
    let lost: Vec<_> =
        said(&lines, "queued").chain(said(&lines, "stored")).filter(|id| is_pending(id)).collect();
    assert!(lost.is_empty(), "marked and lost: {lost:?}");
    assert!(now.notifications.iter().all(|row| row.opened), "{} are pending", now.pending);
}
