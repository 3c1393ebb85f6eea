use crate::support::binary::{Output, run};
use crate::support::inbox::converge;
use crate::support::server::{Server, TIMEOUT};
use crate::support::tail::Tail;
use black_box_support::Caller;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

const WRITERS: usize = 4;
/// Pushes of each writer before the backup begins, and again after it has ended.
const PUSHES: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn every_client_converges_to_a_restored_backup_that_was_taken_under_load() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let (copied, is_copied) = watch::channel(false);
    let (pushed, mut pushes) = watch::channel(0);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(write(
                server.backend(),
                server.user("ada"),
                writer,
                pushed.clone(),
                is_copied.clone(),
            ))
        })
        .collect();
    let enough = pushes.wait_for(|pushes| *pushes >= WRITERS * PUSHES);
    tokio::time::timeout(TIMEOUT, enough).await.expect("the writers push").unwrap();

    let copy = server.database().with_file_name("copy.db");
    back_up(&server.database(), &copy).await.ok();
    copied.send_replace(true);
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(integrity(&copy).await, ["ok"]);
    let lost = converge(&mut tail, &mut server.user("ada")).await;

    server.stop().await;
    restore(&copy, &server.database());
    server.restart().await;
    // The older history continues beyond what the client has seen.
    let mut shop = server.backend();
    for number in 0..10 {
        let id = format!("restored-{number}");
        assert!(shop.push(&["ada"], &json!({"id": id, "content": "c"})).await.unwrap());
    }
    let inbox = converge(&mut tail, &mut server.user("ada")).await;
    assert!(inbox.seq < lost.seq, "the backup is not older: {} {}", inbox.seq, lost.seq);
    let view = tail.view();
    assert_eq!(view.resets, 1);
    assert!(view.added.values().all(|times| *times == 1), "{:?}", view.added);
    let in_both = inbox.ids().intersection(&lost.ids()).count();
    assert!(in_both >= WRITERS * PUSHES / 2, "the backup lacks earlier notifications: {in_both}");
}

/// Pushes, opens and removes notifications before, during and after the backup.
async fn write(
    mut shop: Caller,
    mut ada: Caller,
    writer: usize,
    pushed: watch::Sender<usize>,
    copied: watch::Receiver<bool>,
) {
    let mut left = PUSHES;
    for number in 0.. {
        let id = format!("{writer}-{number}");
        assert!(shop.push(&["ada"], &json!({"id": id, "content": "x".repeat(500)})).await.unwrap());
        pushed.send_modify(|pushed| *pushed += 1);
        match number % 7 {
            2 => drop(ada.post("/v1/inbox/opened", &json!({"ids": [id]})).await.with(200)),
            5 => drop(ada.delete(&format!("/v1/inbox/notifications/{id}")).await.with(200)),
            _ => {}
        }
        left -= usize::from(*copied.borrow());
        if left == 0 {
            return;
        }
    }
}

async fn back_up(database: &Path, copy: &Path) -> Output {
    let (database, copy) = (format!("sqlite://{}", database.display()), copy.display().to_string());
    let ran = tokio::task::spawn_blocking(move || run(&["backup", "--database", &database, &copy], &[]));
    ran.await.unwrap()
}

/// Restores a backup as docs/deploy.md describes.
fn restore(copy: &Path, database: &Path) {
    for suffix in ["-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", database.display()));
        assert!(std::fs::remove_file(&file).is_ok() || !file.exists());
    }
    std::fs::copy(copy, database).unwrap();
}

async fn integrity(copy: &Path) -> Vec<String> {
    let mut connection = SqliteConnectOptions::new().filename(copy).read_only(true).connect().await.unwrap();
    let result = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    result
}
