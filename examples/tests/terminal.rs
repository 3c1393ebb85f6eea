//! Runs two instances of the example against a real server.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may")]

use std::process::Stdio;
use std::time::Duration;

use internal_notifications::{InboxClient, InternalNotification, UserId};
use internal_notifications_testkit::server::TestServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The example as a process.
struct Terminal {
    process: Child,
    keys: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Terminal {
    fn start(user: &UserId, server: &TestServer) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terminal"));
        command.env("INTERNAL_NOTIFICATIONS_URL", server.base_url());
        command.env("INTERNAL_NOTIFICATIONS_TOKEN", server.token(user));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let (keys, shown) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, keys, lines: BufReader::new(shown).lines() }
    }

    async fn shows(&mut self, text: &str) {
        let shown = async { while !self.lines.next_line().await.unwrap().unwrap().contains(text) {} };
        tokio::time::timeout(Duration::from_secs(30), shown)
            .await
            .unwrap_or_else(|_| panic!("{text:?} was not printed"));
    }

    async fn ends(mut self) {
        drop(self.keys);
        assert!(self.process.wait().await.unwrap().success());
    }
}

#[tokio::test]
async fn two_terminals_of_a_user_show_the_same() {
    let server = TestServer::start().await.unwrap();
    let ada: UserId = "ada".parse().unwrap();
    let (mut one, mut other) = (Terminal::start(&ada, &server), Terminal::start(&ada, &server));
    let notification = InternalNotification::new("is on its way").with_heading("Order 1815");
    let backend = InboxClient::new(&server.base_url(), server.api_key()).unwrap();

    for terminal in [&mut one, &mut other] {
        terminal.shows("0 pending").await;
    }
    backend.push(&[ada], notification).await.unwrap();
    for terminal in [&mut one, &mut other] {
        terminal.shows("Order 1815 is on its way").await;
    }
    one.keys.write_all(b"\n").await.unwrap();
    one.shows("0 pending").await;
    other.shows("0 pending").await;
    one.ends().await;
    other.ends().await;
}
