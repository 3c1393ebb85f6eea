use crate::support::disk::Disk;
use crate::support::inbox::{Inbox, converge};
use crate::support::server::Server;
use crate::support::skip::skip;
use crate::support::tail::Tail;
use crate::support::unavailable::{assert_unavailable, wait_until_ready};
use black_box_support::Caller;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

const MEBIBYTES: usize = 8;
/// More notifications than there is room for.
const TOO_MANY: usize = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_rejects_writes_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(folder.path(), MEBIBYTES) else {
        return skip("root, to mount a small disk");
    };
    let mut server = Server::start_in(folder, &[], &[]).await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let (mut shop, mut ada) = (server.backend(), server.user("ada"));
    assert!(shop.push(&["ada"], &json!({"id": "first", "content": "c"})).await.unwrap());

    let filler = disk.fill();
    filler.free(2 * 1024);
    let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(server.backend(), writer))).collect();
    let mut acknowledged = BTreeSet::from(["first".to_owned()]);
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() > 20, "there was room for few: {}", acknowledged.len());

    // Fill the disk to the last byte, including the free space within the server's own files.
    drop(filler);
    let filler = disk.fill();
    acknowledged.extend(write(server.backend(), 4).await);
    for _ in 0..60 {
        if ada.get("/health/ready").await.status != 200 {
            break;
        }
        // The server writes a page for this at most once a second.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for _ in 0..3 {
        let notification = json!({"user_ids": ["ada"], "notification": {"content": "x".repeat(10_000)}});
        assert_unavailable(&shop.post("/v1/notifications", &notification).await, "the disk is full");
        assert_unavailable(&ada.post("/v1/inbox/opened", &json!({"all": true})).await, "the disk is full");
        assert_unavailable(&ada.delete("/v1/inbox/notifications/first").await, "the disk is full");
        assert_unavailable(&ada.get("/health/ready").await, "the disk is full");
    }
    assert_eq!(ada.get("/health/live").await.status, 200);
    assert_holds(&Inbox::read(&mut ada).await, &acknowledged);
    assert_eq!(ada.get("/v1/inbox/changes?after=0").await.status, 200);
    converge(&mut tail, &mut ada).await;

    drop(filler);
    wait_until_ready(&mut ada).await;
    assert!(shop.push(&["ada"], &json!({"id": "again", "content": "c"})).await.unwrap());
    acknowledged.insert("again".to_owned());
    assert_holds(&converge(&mut tail, &mut ada).await, &acknowledged);
    let all = ada.post("/v1/inbox/opened", &json!({"all": true})).await.with(200);
    assert_eq!(all["head"]["pending"], 0);
    converge(&mut tail, &mut ada).await;

    // Stop while there is no room to move the write-ahead log into the database.
    let filler = disk.fill();
    server.stop().await;
    drop(filler);
    server.restart().await;
    assert_holds(&converge(&mut tail, &mut ada).await, &acknowledged);
    tail.view().assert_added_once(acknowledged.iter().filter(|id| *id != "first"));
    assert_eq!(tail.view().resets, 0);
}

#[track_caller]
fn assert_holds(inbox: &Inbox, acknowledged: &BTreeSet<String>) {
    let ids: BTreeSet<String> = inbox.ids().into_iter().map(str::to_owned).collect();
    assert_eq!(&ids, acknowledged, "the stored notifications differ from the acknowledged ones");
}

/// Pushes until twenty in a row were rejected, and returns the acknowledged ids.
async fn write(mut shop: Caller, writer: usize) -> Vec<String> {
    let (mut acknowledged, mut rejected) = (Vec::new(), 0);
    for number in 0..TOO_MANY {
        let id = format!("{writer}-{number}");
        let notification = json!({"id": id, "content": "x".repeat(2_000)});
        let body = json!({"user_ids": ["ada"], "notification": notification});
        let answer = shop.post("/v1/notifications", &body).await;
        if answer.status == 201 {
            acknowledged.push(id);
            rejected = 0;
            continue;
        }
        assert_unavailable(&answer, "the disk is full");
        rejected += 1;
        if rejected == 20 {
            return acknowledged;
        }
    }
    panic!("the disk is never full");
}
