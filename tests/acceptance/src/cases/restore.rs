use crate::support::inbox::converges;
use crate::support::server::Server;
use crate::support::tail::Tail;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// The files of a database, copied aside while nobody has it open.
struct Backup(TempDir);

const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

fn file(database: &Path, suffix: &str) -> PathBuf {
    let mut file = database.as_os_str().to_owned();
    file.push(suffix);
    file.into()
}

impl Backup {
    fn take(database: &Path) -> Self {
        let backup = Self(tempfile::tempdir().unwrap());
        backup.copy(database, &backup.0.path().join("inbox.db"));
        backup
    }

    fn restore(&self, database: &Path) {
        for suffix in SUFFIXES.map(|suffix| file(database, suffix)) {
            assert!(std::fs::remove_file(&suffix).is_ok() || !suffix.exists());
        }
        self.copy(&self.0.path().join("inbox.db"), database);
    }

    /// Also what is still in the log; SQLite makes the rest anew.
    fn copy(&self, from: &Path, to: &Path) {
        for suffix in ["", "-wal"].into_iter().filter(|suffix| file(from, suffix).exists()) {
            std::fs::copy(file(from, suffix), file(to, suffix)).unwrap();
        }
    }
}

async fn push(server: &Server, what: &str, count: usize) {
    let mut shop = server.backend();
    for number in 0..count {
        let notification = json!({"id": format!("{what}-{number}"), "content": what});
        assert!(shop.push(&["ada"], &notification).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stayed_up_ends_equal_to_a_restored_server() {
    let mut server = Server::start().await;
    let mut tail = Tail::of("ada", &server.url());
    push(&server, "kept", 20).await;
    server.kill().await;
    let backup = Backup::take(&server.database());
    server.start_again().await;
    push(&server, "lost", 50).await;
    converges(&mut tail, &mut server.user("ada")).await;

    server.kill().await;
    backup.restore(&server.database());
    server.start_again().await;
    push(&server, "other", 60).await;
    let inbox = converges(&mut tail, &mut server.user("ada")).await;

    assert_eq!((inbox.seq, inbox.pending), (80, 80));
    assert!(inbox.ids().iter().all(|id| !id.starts_with("lost")));
    assert_eq!(tail.view().resets, 1, "the reset is visible");
    assert_eq!(tail.view().rows.len(), 80, "and complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_noticed_without_a_push_when_the_client_connects_again() {
    let mut server = Server::start().await;
    let mut tail = Tail::of("ada", &server.url());
    push(&server, "kept", 3).await;
    server.stop().await;
    let backup = Backup::take(&server.database());
    server.start_again().await;
    push(&server, "lost", 5).await;
    converges(&mut tail, &mut server.user("ada")).await;
    server.stop().await;
    backup.restore(&server.database());
    server.start_again().await;
    let inbox = converges(&mut tail, &mut server.user("ada")).await;
    assert_eq!((inbox.seq, tail.view().resets), (3, 1));
}

/// The engine is another server's broker, so that the client's socket outlives the restore: nothing but the check can find it.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_behind_a_socket_that_lives_on_is_found_by_the_position_check() {
    let engine = Server::start().await;
    let port = engine.address.port().to_string();
    let env = [("PUSHER_HOST", "127.0.0.1"), ("PUSHER_PORT", &port), ("PUSHER_SCHEME", "http")];
    let mut server = Server::start_with(&env, &[]).await;
    let check = [("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS", "1")];
    let mut tail = Tail::with("ada", &server.url(), &check);
    let mut unchecked = Tail::of("ada", &server.url());
    tail.live().await;
    unchecked.live().await;
    push(&server, "kept", 3).await;
    server.stop().await;
    let backup = Backup::take(&server.database());
    server.start_again().await;
    push(&server, "lost", 5).await;
    converges(&mut tail, &mut server.user("ada")).await;
    converges(&mut unchecked, &mut server.user("ada")).await;

    server.stop().await;
    backup.restore(&server.database());
    server.start_again().await;
    let started = Instant::now();
    let inbox = converges(&mut tail, &mut server.user("ada")).await;
    assert_eq!((inbox.seq, inbox.ids().len(), tail.view().resets), (3, 3, 1));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(unchecked.view().seq, 8, "the other one's check is a minute away: nothing else told them");

    push(&server, "other", 1).await;
    converges(&mut unchecked, &mut server.user("ada")).await;
    assert_eq!(unchecked.view().resets, 1);
}
