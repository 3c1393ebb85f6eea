use crate::support::inbox::converge;
use crate::support::server::{Server, TIMEOUT};
use crate::support::tail::Tail;
use black_box_support::Caller;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::watch;

const KILLS: usize = 6;
/// Acknowledged pushes between two kills.
const BETWEEN: usize = 80;

/// The state that the writers share.
#[derive(Clone)]
struct Writing {
    acknowledged: Arc<watch::Sender<Vec<String>>>,
    server_is_up: watch::Receiver<bool>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_push_survives_six_kills() {
    let mut server = Server::start().await;
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;

    let (up, server_is_up) = watch::channel(true);
    let (acknowledged, mut known) = watch::channel(Vec::new());
    let writing = Writing { acknowledged: Arc::new(acknowledged), server_is_up };
    let writers: Vec<_> =
        (0..4).map(|writer| tokio::spawn(write(server.backend(), writer, writing.clone()))).collect();
    for kill in 1..=KILLS {
        wait_for_acknowledged(&mut known, kill * BETWEEN).await;
        up.send_replace(false);
        server.kill().await;
        server.restart().await;
        up.send_replace(true);
    }
    wait_for_acknowledged(&mut known, (KILLS + 1) * BETWEEN).await;
    // Ends the writers.
    drop(up);
    for writer in writers {
        writer.await.unwrap();
    }

    let inbox = converge(&mut tail, &mut server.user("ada")).await;
    let acknowledged = known.borrow().clone();
    let ids = inbox.ids();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !ids.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged but lost: {lost:?}");
    assert!(
        ids.len() - acknowledged.len() <= 4 * KILLS,
        "more unacknowledged pushes are stored than were in flight"
    );
    let view = tail.view();
    view.assert_added_once(&acknowledged);
    assert_eq!((view.snapshots, view.resets), (1, 0), "a kill lost history");
}

async fn wait_for_acknowledged(known: &mut watch::Receiver<Vec<String>>, count: usize) {
    let waited = known.wait_for(|ids| ids.len() >= count);
    let waited = tokio::time::timeout(TIMEOUT, waited).await;
    assert!(waited.is_ok_and(|ids| ids.is_ok()), "fewer than {count} were acknowledged in time");
}

/// Pushes until the test ends. Half of the writers retry pushes that got no answer.
async fn write(mut shop: Caller, writer: usize, mut writing: Writing) {
    let mut number = 0;
    while writing.server_is_up.has_changed().is_ok() {
        let id = format!("{writer}-{number}");
        match shop.push(&["ada"], &json!({"id": id, "content": "c"})).await {
            Ok(accepted) => {
                assert!(accepted, "{id}");
                writing.acknowledged.send_modify(|ids| ids.push(id));
                number += 1;
            }
            Err(_) => {
                number += writer % 2;
                let _ = writing.server_is_up.wait_for(|up| *up).await;
            }
        }
    }
}
