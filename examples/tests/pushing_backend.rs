//! Runs the example against a real server.
#![allow(clippy::unwrap_used, reason = "a test may")]

use internal_notifications::InternalNotifications;
use internal_notifications_testkit::server::TestServer;
use tokio::process::Command;

#[tokio::test]
async fn a_repeated_push_is_stored_once() {
    let server = TestServer::start().await.unwrap();
    assert_eq!(ship(&server, &["1815", "ada"]).await, "1 accepted, 0 duplicates\n");
    assert_eq!(ship(&server, &["1815", "ada", "bob"]).await, "1 accepted, 1 duplicates\n");
    assert_eq!(ship(&server, &["1816", "ada"]).await, "1 accepted, 0 duplicates\n");

    let token = server.token(&"ada".parse().unwrap());
    let inbox = InternalNotifications::builder().url(server.base_url()).user("ada", token).build().unwrap();
    inbox.init().await.unwrap();
    let headings: Vec<_> =
        inbox.snapshot().notifications.iter().filter_map(|row| row.heading.clone()).collect();
    assert_eq!(headings, ["Order 1816", "Order 1815"]);
}

#[tokio::test]
async fn a_failed_push_fails_the_command() {
    let server = TestServer::start().await.unwrap();
    assert_eq!(run(&server, "no key of this server, but 32 bytes", &["1815", "ada"]).await, None);
    assert_eq!(run(&server, server.api_key(), &["1815", "no user"]).await, None);
    assert_eq!(run(&server, server.api_key(), &[]).await, None);
}

async fn ship(server: &TestServer, args: &[&str]) -> String {
    run(server, server.api_key(), args).await.unwrap()
}

/// Returns what the command prints, or none if it fails.
async fn run(server: &TestServer, key: &str, args: &[&str]) -> Option<String> {
    let mut backend = Command::new(env!("CARGO_BIN_EXE_pushing_backend"));
    backend.env("INTERNAL_NOTIFICATIONS_URL", server.base_url()).env("INTERNAL_NOTIFICATIONS_API_KEY", key);
    let output = backend.args(args).output().await.unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}
