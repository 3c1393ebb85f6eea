use crate::support::inbox::converge;
use crate::support::proxy::Proxy;
use crate::support::server::Server;
use crate::support::tail::Tail;
use black_box_support::Caller;
use serde_json::json;
use std::time::Duration;

const WRITERS: usize = 4;
const PUSHES: usize = 750;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_through_a_proxy_that_cuts_connections_every_two_seconds() {
    let server = Server::start().await;
    let proxy = Proxy::start(server.address, Duration::from_secs(2)).await;
    let mut tail = Tail::start("ada", &proxy.url());
    tail.live().await;

    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(server.backend(), writer))).collect();
    let mut ids = Vec::new();
    for writer in writers {
        ids.extend(writer.await.unwrap());
    }
    assert_eq!(ids.len(), WRITERS * PUSHES);

    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    let all = ada.post("/v1/inbox/opened", &json!({"all": true})).await.with(200);
    assert_eq!(all["head"]["pending"], 0);
    let two = json!({"ids": [ids[0], ids[WRITERS * PUSHES - 1]]});
    let unopened = ada.post("/v1/inbox/unopened", &two).await.with(200);
    assert_eq!(unopened["head"]["pending"], 2);
    for last in ["after all", "and once more"] {
        assert!(shop.push(&["ada"], &json!({"id": last, "content": last})).await.unwrap());
        ids.push(last.to_owned());
    }

    let inbox = converge(&mut tail, &mut ada).await;
    assert_eq!((inbox.ids().len(), inbox.pending), (ids.len(), 4));
    assert_eq!(inbox.seq, u64::try_from(ids.len()).unwrap() + 2, "each write is one change");
    tail.view().assert_added_once(&ids);
    assert!(ids.iter().all(|id| inbox.ids().contains(id.as_str())));

    // Push right after a cut that happens while everything is quiet.
    let (cut, offline) = (proxy.cut(), tail.view().offline);
    tail.until("cut off", |view| view.offline > offline).await;
    assert!(shop.push(&["ada"], &json!({"content": "into the gap"})).await.unwrap());
    converge(&mut tail, &mut ada).await;
    assert!(proxy.cut() > cut && cut > 0, "the proxy cut {cut} connections before");
    assert_eq!(tail.view().resets, 0);
}

/// Pushes notifications, of which one in fifty is too large for a live event.
async fn write(mut shop: Caller, writer: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..PUSHES {
        let id = format!("{writer}-{number}");
        let length = if number % 50 == 7 { 20_000 } else { 20 };
        let notification = json!({"id": id, "heading": "H", "content": "x".repeat(length)});
        assert!(shop.push(&["ada"], &notification).await.unwrap());
        ids.push(id);
    }
    ids
}
