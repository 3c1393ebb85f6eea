//! Runs the example as a process, and connects the apps of two users to it.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::process::Stdio;
use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications::{
    Announcement, InternalNotification, InternalNotifications, ServiceErrorKind, Status,
};
use pusher_client::Roots;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// The app's process, killed when dropped.
struct Shop {
    url: String,
    process: Child,
}

impl Shop {
    async fn open(folder: &TempDir) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_nested_router"));
        process.arg("127.0.0.1:0").arg(folder.path().join("inbox.db"));
        process.env("SESSIONS", "adas-session=ada&bobs-session=bob");
        let mut process = process.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let line = BufReader::new(process.stdout.take().unwrap()).lines().next_line().await.unwrap().unwrap();
        let url = format!("http://{}", line.strip_prefix("listening on ").unwrap());
        Self { url, process }
    }

    fn inbox(&self, user: &str, session: &str) -> InternalNotifications {
        let builder = InternalNotifications::builder().url(format!("{}/inbox", self.url));
        builder.user(user, session).build().unwrap()
    }

    async fn close(mut self) {
        self.process.kill().await.unwrap();
    }
}

#[tokio::test]
async fn users_of_the_apps_login_push_to_each_other_and_the_apps_routes_still_work() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(&folder).await;
    let http = Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
    let own = http.get(&shop.url).send().await.unwrap().text().await.unwrap();
    assert_eq!(own, "a shop");

    let ada = shop.inbox("ada", "adas-session");
    ada.init().await.unwrap();
    within(ada.wait_for(|now| now.status == Status::Live)).await.unwrap();
    let mut announcements = ada.announcements();
    let bob = shop.inbox("bob", "bobs-session");
    bob.init().await.unwrap();
    bob.push(["ada"], InternalNotification::new("Hello!")).await.unwrap();
    let Some(Announcement::Notification(new)) = within(announcements.next()).await else {
        panic!("the push was not announced")
    };
    assert_eq!((new.content.as_str(), new.sender.as_str()), ("Hello!", "user:bob"));

    let stranger = shop.inbox("ada", "no-session").init().await;
    assert_eq!(stranger.unwrap_err().kind(), ServiceErrorKind::Unauthorized);
    drop((ada, bob));
    shop.close().await;

    let shop = Shop::open(&folder).await;
    let ada = shop.inbox("ada", "adas-session");
    ada.init().await.unwrap();
    assert_eq!(ada.snapshot().pending, 1);
}

async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap()
}
