use crate::cases::full_disk::{is_refused, recovers, skip};
use crate::support::binary::run;
use crate::support::disk::{Disk, Immutable};
use crate::support::inbox::{Inbox, converges};
use crate::support::server::Server;
use crate::support::tail::Tail;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_becomes_read_only_refuses_and_is_read_until_it_can_be_written_again() {
    let folder = tempfile::tempdir().unwrap();
    if !Immutable::is_possible_in(folder.path()) {
        return skip("chattr +i, which needs root and a file system like ext4");
    }
    let mut server = Server::start_in(folder, &[], &[]).await;
    let mut tail = Tail::of("ada", &server.url());
    tail.live().await;
    let (mut shop, mut ada) = (server.backend(), server.user("ada"));
    assert!(shop.push(&["ada"], &json!({"id": "a", "content": "c"})).await.unwrap());

    let log = server.database().with_file_name("inbox.db-wal");
    let immutable = Immutable::make(&[server.database(), log]);
    for round in 0..3 {
        let push = json!({"user_ids": ["ada"], "notification": {"id": "b", "content": "c"}});
        is_refused(&shop.post("/v1/notifications", &push).await, "the database is read-only");
        is_refused(&ada.post("/v1/inbox/opened", &json!({"all": true})).await, "the database is read-only");
        is_refused(&ada.get("/health/ready").await, "the database is read-only");
        let inbox = Inbox::read(&mut ada).await;
        assert_eq!((inbox.seq, inbox.pending), (1, 1), "{round}: it can be read");
    }
    converges(&mut tail, &mut ada).await;

    drop(immutable);
    recovers(&mut ada).await;
    assert!(shop.push(&["ada"], &json!({"id": "c", "content": "c"})).await.unwrap());
    let inbox = converges(&mut tail, &mut ada).await;
    assert_eq!((inbox.seq, inbox.ids().into_iter().collect()), (2, vec!["a", "c"]));
    server.kill().await;
    server.start_again().await;
    converges(&mut tail, &mut ada).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_it_does_not_start_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::on(folder.path(), 8) else { return skip("root, to mount a small disk") };
    let mut server = Server::start_in(folder, &[], &[]).await;
    assert!(server.backend().push(&["ada"], &json!({"id": "a", "content": "c"})).await.unwrap());
    server.stop().await;
    disk.remount("ro");
    let database = format!("sqlite://{}", server.database().display());
    let ran = run(&["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database], &[]);
    assert!(ran.refused(1).contains("Read-only file system"), "{}", ran.stderr);
    disk.remount("rw");
    server.start_again().await;
    assert_eq!(server.user("ada").get("/v1/inbox").await.with(200)["pending"], 1);
}
