use black_box_support::{Caller, Http};
use internal_notifications_models::{ChangesAnswer, Position};
use internal_notifications_pusher::PusherService;
use internal_notifications_service::{InternalNotificationsService, InternalNotificationsServiceExt};
use serde_json::json;

use crate::measure::{median, seconds};
use crate::setup::{Database, user};

/// Measures how long a device that was away takes to show all missed changes, compared with a loop
/// that only fetches and parses them.
pub(crate) async fn run(full: bool) {
    let (changes, rounds) = if full { (10_000, 5) } else { (100, 1) };
    let served = Database::Sqlite.serve().await;
    let mut backend = served.caller();
    let (mut device, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let reader = user(round);
        let token = served.token(&reader);
        let service = PusherService::builder()
            .url(served.server.url())
            .user(reader.clone(), token.clone())
            .build()
            .unwrap();
        service.init().await.unwrap();
        service.unsubscribe().await.unwrap();
        for index in 0..changes {
            let notification = json!({"id": format!("{round}-{index}"), "content": "A parcel has come"});
            assert!(backend.push(&[reader.as_str()], &notification).await.unwrap());
        }
        device.push(
            seconds(async {
                service.subscribe().await.unwrap();
                service.wait_until(changes as u64).await.unwrap();
            })
            .await,
        );
        assert_eq!(service.snapshot().pending, changes as u64);
        service.dispose().await;
        let caller = Caller::new(Http::to(served.server.local_addr()), &token);
        bare.push(seconds(fetch(caller, changes)).await);
    }
    let (device, bare) = (median(device), median(bare));
    println!("{changes} changes missed, over HTTP");
    println!("  a device, to the last            {:9.1} ms", device * 1e3);
    println!("  fetched and read only            {:9.1} ms", bare * 1e3);
    println!("  the device to that               {:9.2} ×", device / bare);
    served.stop().await;
}

async fn fetch(mut caller: Caller, changes: usize) {
    let (mut after, mut fetched) = (Position::default(), 0);
    loop {
        let tag = after.tag.map_or_else(String::new, |tag| format!("&tag={tag}"));
        let path = format!("/v1/inbox/changes?after={}&limit=500{tag}", after.seq);
        let answer = caller.get(&path).await;
        let ChangesAnswer::Changes { changes: page, more, .. } =
            serde_json::from_slice(&answer.body).unwrap()
        else {
            panic!("the log is not trimmed")
        };
        fetched += page.len();
        after = page.last().unwrap().stamp.position();
        if !more {
            break;
        }
    }
    assert_eq!(fetched, changes);
}
