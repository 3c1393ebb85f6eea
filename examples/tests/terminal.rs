//! The example against a real server.

use std::process::Stdio;
use std::time::Duration;

use internal_notifications::{InboxClient, InternalNotification};
use internal_notifications_testkit::server::TestServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn it_shows_what_is_pushed_and_opens_it() {
    let server = TestServer::start().await.unwrap();
    let ada = "ada".parse().unwrap();

    let mut terminal = Command::new(env!("CARGO_BIN_EXE_terminal"));
    terminal.env("INTERNAL_NOTIFICATIONS_URL", server.base_url());
    terminal.env("INTERNAL_NOTIFICATIONS_TOKEN", server.token(&ada));
    let mut terminal =
        terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines();
    let mut until = async |text: &str| {
        let shown = async { while !lines.next_line().await.unwrap().unwrap().contains(text) {} };
        tokio::time::timeout(Duration::from_secs(30), shown).await.unwrap_or_else(|_| panic!("never {text}"));
    };

    until("0 pending").await;
    let notification = InternalNotification::new("is on its way").with_heading("Order 1815");
    let backend = InboxClient::new(&server.base_url(), server.api_key()).unwrap();
    backend.push(&[ada], notification).await.unwrap();
    until("Order 1815 is on its way").await;
    let mut keys = terminal.stdin.take().unwrap();
    keys.write_all(b"\n").await.unwrap();
    until("0 pending").await;
    drop(keys);
    assert!(terminal.wait().await.unwrap().success());
}
