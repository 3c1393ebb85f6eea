use crate::support::inbox::converge;
use crate::support::server::Server;
use crate::support::tail::Tail;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// A copy of a database's files, taken while no process has them open.
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

    /// Copies the database and its write-ahead log. SQLite creates the other files again.
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
async fn a_client_that_kept_running_converges_to_a_restored_server() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    push(&server, "kept", 20).await;
    server.kill().await;
    let backup = Backup::take(&server.database());
    server.restart().await;
    push(&server, "lost", 50).await;
    converge(&mut tail, &mut server.user("ada")).await;

    server.kill().await;
    backup.restore(&server.database());
    server.restart().await;
    push(&server, "other", 60).await;
    let inbox = converge(&mut tail, &mut server.user("ada")).await;

    assert_eq!((inbox.seq, inbox.pending), (80, 80));
    assert!(inbox.ids().iter().all(|id| !id.starts_with("lost")));
    assert_eq!(tail.view().resets, 1, "the client was not reset once");
    assert_eq!(tail.view().rows.len(), 80, "the reset is not complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_notices_a_restore_when_it_reconnects_even_without_a_push() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    push(&server, "kept", 3).await;
    server.stop().await;
    let backup = Backup::take(&server.database());
    server.restart().await;
    push(&server, "lost", 5).await;
    converge(&mut tail, &mut server.user("ada")).await;
    server.stop().await;
    backup.restore(&server.database());
    server.restart().await;
    let inbox = converge(&mut tail, &mut server.user("ada")).await;
    assert_eq!((inbox.seq, tail.view().resets), (3, 1));
}

/// The engine is another server's broker, so that the client's socket survives the restore and only
/// the position check can notice it.
#[tokio::test(flavor = "multi_thread")]
async fn the_position_check_notices_a_restore_while_the_socket_stays_open() {
    let engine = Server::start().await;
    let port = engine.address.port().to_string();
    let env = [("PUSHER_HOST", "127.0.0.1"), ("PUSHER_PORT", &port), ("PUSHER_SCHEME", "http")];
    let mut server = Server::start_with(&env, &[]).await;
    let check = [("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS", "1")];
    let mut tail = Tail::start_with("ada", &server.url(), &check);
    let mut unchecked = Tail::start("ada", &server.url());
    tail.live().await;
    unchecked.live().await;
    push(&server, "kept", 3).await;
    server.stop().await;
    let backup = Backup::take(&server.database());
    server.restart().await;
    push(&server, "lost", 5).await;
    converge(&mut tail, &mut server.user("ada")).await;
    converge(&mut unchecked, &mut server.user("ada")).await;

    server.stop().await;
    backup.restore(&server.database());
    server.restart().await;
    let started = Instant::now();
    let inbox = converge(&mut tail, &mut server.user("ada")).await;
    assert_eq!((inbox.seq, inbox.ids().len(), tail.view().resets), (3, 3, 1));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(
        unchecked.view().seq,
        8,
        "the other client noticed the restore, although its next check is a minute away"
    );

    push(&server, "other", 1).await;
    converge(&mut unchecked, &mut server.user("ada")).await;
    assert_eq!(unchecked.view().resets, 1);
}
