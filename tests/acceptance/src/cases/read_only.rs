use crate::support::binary::run;
use crate::support::disk::{Disk, Immutable};
use crate::support::inbox::{Inbox, converge};
use crate::support::server::Server;
use crate::support::skip::skip;
use crate::support::tail::Tail;
use crate::support::unavailable::{assert_unavailable, wait_until_ready};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_becomes_read_only_rejects_writes_and_still_serves_reads_until_it_recovers() {
    let folder = tempfile::tempdir().unwrap();
    if !Immutable::is_possible_in(folder.path()) {
        return skip("chattr +i, which needs root and a file system like ext4");
    }
    let mut server = Server::start_in(folder, &[], &[]).await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let (mut shop, mut ada) = (server.backend(), server.user("ada"));
    assert!(shop.push(&["ada"], &json!({"id": "a", "content": "c"})).await.unwrap());

    let log = server.database().with_file_name("inbox.db-wal");
    let immutable = Immutable::new(&[server.database(), log]);
    for round in 0..3 {
        let push = json!({"user_ids": ["ada"], "notification": {"id": "b", "content": "c"}});
        assert_unavailable(&shop.post("/v1/notifications", &push).await, "the database is read-only");
        assert_unavailable(
            &ada.post("/v1/inbox/opened", &json!({"all": true})).await,
            "the database is read-only",
        );
        assert_unavailable(&ada.get("/health/ready").await, "the database is read-only");
        let inbox = Inbox::read(&mut ada).await;
        assert_eq!((inbox.seq, inbox.pending), (1, 1), "round {round}: it cannot be read");
    }
    converge(&mut tail, &mut ada).await;

    drop(immutable);
    wait_until_ready(&mut ada).await;
    assert!(shop.push(&["ada"], &json!({"id": "c", "content": "c"})).await.unwrap());
    let inbox = converge(&mut tail, &mut ada).await;
    assert_eq!((inbox.seq, inbox.ids().into_iter().collect()), (2, vec!["a", "c"]));
    server.kill().await;
    server.restart().await;
    converge(&mut tail, &mut ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_the_server_fails_to_start_and_reports_why() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder.path(), 8) else { return skip("root, to mount a small disk") };
    let mut server = Server::start_in(folder, &[], &[]).await;
    assert!(server.backend().push(&["ada"], &json!({"id": "a", "content": "c"})).await.unwrap());
    server.stop().await;
    disk.remount("ro");
    let database = format!("sqlite://{}", server.database().display());
    let output = run(&["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database], &[]);
    assert!(output.failed(1).contains("Read-only file system"), "{}", output.stderr);
    disk.remount("rw");
    server.restart().await;
    assert_eq!(server.user("ada").get("/v1/inbox").await.with(200)["pending"], 1);
}
