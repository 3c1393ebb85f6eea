use crate::support::inbox::converges;
use crate::support::server::{PATIENCE, Server};
use crate::support::tail::Tail;
use black_box_support::Caller;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::watch;

const KILLS: usize = 6;
/// Acknowledged between two kills.
const BETWEEN: usize = 80;

/// What the writers know.
#[derive(Clone)]
struct Writing {
    acknowledged: Arc<watch::Sender<Vec<String>>>,
    server_is_up: watch::Receiver<bool>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_push_outlives_six_kills() {
    let mut server = Server::start().await;
    let mut tail = Tail::of("ada", &server.url());
    tail.live().await;

    let (up, server_is_up) = watch::channel(true);
    let (acknowledged, mut known) = watch::channel(Vec::new());
    let writing = Writing { acknowledged: Arc::new(acknowledged), server_is_up };
    let writers: Vec<_> =
        (0..4).map(|writer| tokio::spawn(write(server.backend(), writer, writing.clone()))).collect();
    for kill in 1..=KILLS {
        acknowledged_are(&mut known, kill * BETWEEN).await;
        up.send_replace(false);
        server.kill().await;
        server.start_again().await;
        up.send_replace(true);
    }
    acknowledged_are(&mut known, (KILLS + 1) * BETWEEN).await;
    // Tells the writers to end.
    drop(up);
    for writer in writers {
        writer.await.unwrap();
    }

    let inbox = converges(&mut tail, &mut server.user("ada")).await;
    let acknowledged = known.borrow().clone();
    let ids = inbox.ids();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !ids.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(
        ids.len() - acknowledged.len() <= 4 * KILLS,
        "only what was under way may be there unacknowledged"
    );
    let view = tail.view();
    view.had_each_once(&acknowledged);
    assert_eq!((view.snapshots, view.resets), (1, 0), "a kill loses no history");
}

async fn acknowledged_are(known: &mut watch::Receiver<Vec<String>>, count: usize) {
    let waited = known.wait_for(|ids| ids.len() >= count);
    let waited = tokio::time::timeout(PATIENCE, waited).await;
    assert!(waited.is_ok_and(|ids| ids.is_ok()), "never {count} acknowledged");
}

/// Half of the writers push again what nobody answered to.
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
