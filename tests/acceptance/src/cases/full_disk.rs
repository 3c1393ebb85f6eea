use crate::support::disk::Disk;
use crate::support::inbox::{Inbox, converges};
use crate::support::server::{PATIENCE, Server};
use crate::support::tail::Tail;
use black_box_support::{Answer, Caller};
use serde_json::json;
use std::collections::BTreeSet;
use std::env;

const MEBIBYTES: usize = 8;
/// More than there is room for.
const TOO_MANY: usize = 5_000;

/// The answer says what is wrong, and nothing of where.
#[track_caller]
pub(crate) fn is_refused(answer: &Answer, detail: &str) {
    assert_eq!(answer.flaw_as_problem(503), None);
    assert_eq!(answer.json()["detail"], detail, "{answer:?}");
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(!text.contains("inbox.db") && !text.contains('/'), "it shows a path: {text}");
}

/// Says that the test is left out, or fails where nothing may be.
pub(crate) fn skip(why: &str) {
    assert_ne!(env::var("ACCEPTANCE_ALL").as_deref(), Ok("1"), "{why}");
    println!("skipped: it needs {why}");
}

/// The server is ready again, in time.
pub(crate) async fn recovers(caller: &mut Caller) {
    let ready = async { while caller.get("/health/ready").await.status != 200 {} };
    tokio::time::timeout(PATIENCE, ready).await.expect("it recovers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_what_was_acknowledged_is_what_is_there_when_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::on(folder.path(), MEBIBYTES) else { return skip("root, to mount a small disk") };
    let mut server = Server::start_in(folder, &[], &[]).await;
    let mut tail = Tail::of("ada", &server.url());
    tail.live().await;
    let (mut shop, mut ada) = (server.backend(), server.user("ada"));
    assert!(shop.push(&["ada"], &json!({"id": "first", "content": "c"})).await.unwrap());

    let filler = disk.fill();
    filler.leave(2 * 1024);
    let writers: Vec<_> = (0..4).map(|writer| tokio::spawn(write(server.backend(), writer))).collect();
    let mut acknowledged = BTreeSet::from(["first".to_owned()]);
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() > 20, "there was room for some: {}", acknowledged.len());

    // To the last byte that the server's own files have room for.
    drop(filler);
    let filler = disk.fill();
    acknowledged.extend(write(server.backend(), 4).await);
    for _ in 0..TOO_MANY {
        if ada.get("/health/ready").await.status != 200 {
            break;
        }
    }
    for _ in 0..3 {
        let notification = json!({"user_ids": ["ada"], "notification": {"content": "x".repeat(10_000)}});
        is_refused(&shop.post("/v1/notifications", &notification).await, "the disk is full");
        is_refused(&ada.post("/v1/inbox/opened", &json!({"all": true})).await, "the disk is full");
        is_refused(&ada.delete("/v1/inbox/notifications/first").await, "the disk is full");
        is_refused(&ada.get("/health/ready").await, "the disk is full");
    }
    assert_eq!(ada.get("/health/live").await.status, 200);
    is_what(&Inbox::read(&mut ada).await, &acknowledged);
    assert_eq!(ada.get("/v1/inbox/changes?after=0").await.status, 200);
    converges(&mut tail, &mut ada).await;

    drop(filler);
    recovers(&mut ada).await;
    assert!(shop.push(&["ada"], &json!({"id": "again", "content": "c"})).await.unwrap());
    acknowledged.insert("again".to_owned());
    is_what(&converges(&mut tail, &mut ada).await, &acknowledged);
    let all = ada.post("/v1/inbox/opened", &json!({"all": true})).await.with(200);
    assert_eq!(all["head"]["pending"], 0);
    converges(&mut tail, &mut ada).await;

    // Ended while there is no room to put the log into the database.
    let filler = disk.fill();
    server.stop().await;
    drop(filler);
    server.start_again().await;
    is_what(&converges(&mut tail, &mut ada).await, &acknowledged);
    tail.view().had_each_once(acknowledged.iter().filter(|id| *id != "first"));
    assert_eq!(tail.view().resets, 0);
}

#[track_caller]
fn is_what(inbox: &Inbox, acknowledged: &BTreeSet<String>) {
    let ids: BTreeSet<String> = inbox.ids().into_iter().map(str::to_owned).collect();
    assert_eq!(&ids, acknowledged, "what is stored, and what was acknowledged");
}

/// Pushes until twenty in a row were refused, and tells what was acknowledged.
async fn write(mut shop: Caller, writer: usize) -> Vec<String> {
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for number in 0..TOO_MANY {
        let id = format!("{writer}-{number}");
        let notification = json!({"id": id, "content": "x".repeat(2_000)});
        let body = json!({"user_ids": ["ada"], "notification": notification});
        let answer = shop.post("/v1/notifications", &body).await;
        if answer.status == 201 {
            acknowledged.push(id);
            refused = 0;
            continue;
        }
        is_refused(&answer, "the disk is full");
        refused += 1;
        if refused == 20 {
            return acknowledged;
        }
    }
    panic!("the disk is never full");
}
