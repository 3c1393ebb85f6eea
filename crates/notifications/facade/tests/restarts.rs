//! An app with a file storage is killed at any moment, while notifications come and it marks them.
#![cfg(unix)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;
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
        loop {
            for row in marking.snapshot().notifications.iter().filter(|row| !row.opened) {
                if let Ok(written) = marking.mark_opened([&row.id]).await {
                    say(if written == Written::Stored { "stored" } else { "queued" }, row.id.as_str());
                }
            }
            // Some are pending whenever the connection is cut.
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
    while let Some(announcement) = announcements.next().await {
        match announcement {
            Announcement::Notification(row) => say("announced", row.id.as_str()),
            other => say("unexpected", &format!("{other:?}")),
        }
    }
}

/// The app, with what it has printed.
struct App {
    process: Child,
    reader: JoinHandle<Vec<String>>,
    has_started: Receiver<()>,
}

impl App {
    fn start(url: &str, token: &str, folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "an_app_that_marks_what_comes", "--nocapture"])
            .envs([("RESTARTS_TEST", "1"), (URL, url), (TOKEN, token)])
            .env(STORAGE, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (started, has_started) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok);
            lines
                .inspect(|line| {
                    if line.starts_with("started ") {
                        let _ = started.send(());
                    }
                })
                .collect()
        });
        Self { process, reader, has_started }
    }

    async fn run_for(&self, milliseconds: u64) {
        self.has_started.recv_timeout(Duration::from_secs(60)).expect("the app starts");
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }

    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.reader.join().unwrap()
    }
}

fn said<'a>(lines: &'a [String], what: &'a str) -> impl Iterator<Item = &'a str> {
    lines.iter().filter_map(move |line| line.strip_prefix(what)?.strip_prefix(' '))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_is_killed_loses_nothing_and_announces_nothing_twice() {
    let server = TestServer::start().await.unwrap();
    let proxy = server.proxy().await.unwrap();
    let ada: UserId = "ada".parse().unwrap();
    let (token, folder) = (server.token(&ada), TempDir::new().unwrap());
    let client = InboxClient::new(&server.base_url(), server.api_key()).unwrap();

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let pushing = tokio::spawn({
        let ada = ada.clone();
        async move {
            let mut pushed = Vec::new();
            while !*stopped.borrow() {
                let push = client.push(std::slice::from_ref(&ada), InternalNotification::new("c"));
                pushed.push(push.await.unwrap().id.to_string());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            pushed
        }
    });
    let mut lines = Vec::new();
    for round in 0..KILLS {
        let app = App::start(&proxy.url(), &token, folder.path());
        app.run_for(100 + 131 * (round * round) % 400).await;
        match round % 4 {
            1 => {
                // It queues, and is killed with its queue. The next one starts without the server.
                proxy.cut().await;
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
            2 => {
                proxy.mend();
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            _ => {}
        }
        lines.extend(app.kill());
    }
    stop.send_replace(true);
    let pushed = pushing.await.unwrap();
    let app = App::start(&proxy.url(), &token, folder.path());
    let other = InternalNotifications::builder().url(server.base_url()).user("ada", &token);
    let other = other.window(5_000).build().unwrap();
    other.init().await.unwrap();
    let all_opened = other.wait_for(|now| now.notifications.len() == pushed.len() && now.pending == 0);
    let all_opened = tokio::time::timeout(Duration::from_secs(60), all_opened).await;
    lines.extend(app.kill());

    let announced: Vec<_> = said(&lines, "announced").collect();
    let distinct: BTreeSet<_> = announced.iter().collect();
    assert_eq!(announced.len(), distinct.len(), "announced twice: {lines:?}");
    assert!(announced.len() > 20, "only {} were announced", announced.len());
    assert_eq!(said(&lines, "unexpected").collect::<Vec<_>>(), Vec::<&str>::new());
    let queued = said(&lines, "queued").count();
    assert!(queued > 0, "nothing was queued");

    let now = other.snapshot();
    let stored: Vec<_> = now.notifications.iter().rev().map(|row| row.id.to_string()).collect();
    assert_eq!(stored, pushed, "each is stored once, in order");
    let is_pending = |id: &str| now.notifications.iter().any(|row| row.id.as_str() == id && !row.opened);
    let lost: Vec<_> =
        said(&lines, "queued").chain(said(&lines, "stored")).filter(|id| is_pending(id)).collect();
    assert!(lost.is_empty(), "marked and lost: {lost:?}");
    assert!(all_opened.is_ok(), "{} are pending", now.pending);
}
