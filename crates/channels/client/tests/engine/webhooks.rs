use std::time::Duration;

use pusher_signer::WebhookEvent;

use crate::client_events::sender;
use crate::differences::WEBHOOK_SENDER;
use crate::place::Place;
use crate::reading::subscribed;

#[tokio::test]
async fn webhooks_of_all_kinds_are_genuine_and_read() {
    let mut place = Place::start().await;
    let engine = place.engine;
    let client = place.client("ada");
    let room = subscribed(&client, "presence-room").await;
    room.trigger("client-typing", "{}").await.unwrap();
    let cache = subscribed(&client, "cache-news").await;
    let on = || "presence-room".to_owned();
    let news = || "cache-news".to_owned();
    let typed = |event: &WebhookEvent| match event {
        WebhookEvent::ClientEvent(event) => {
            assert_eq!((event.channel.as_str(), event.event.as_str()), ("presence-room", "client-typing"));
            assert_eq!(event.data, "{}");
            WEBHOOK_SENDER.check(engine, sender(event.user_id.as_deref()));
            true
        }
        _ => false,
    };
    told(&mut place, typed).await;
    let expected = [
        WebhookEvent::ChannelOccupied { channel: on() },
        WebhookEvent::MemberAdded { channel: on(), user_id: "ada".to_owned() },
        WebhookEvent::ChannelOccupied { channel: news() },
        WebhookEvent::CacheMiss { channel: news() },
        WebhookEvent::SubscriptionCount { channel: news(), subscription_count: 1 },
    ];
    for expected in expected {
        told(&mut place, |event| *event == expected).await;
    }
    drop((room, cache));
    let expected = [
        WebhookEvent::MemberRemoved { channel: on(), user_id: "ada".to_owned() },
        WebhookEvent::ChannelVacated { channel: on() },
        WebhookEvent::ChannelVacated { channel: news() },
        WebhookEvent::SubscriptionCount { channel: news(), subscription_count: 0 },
    ];
    for expected in expected {
        told(&mut place, |event| *event == expected).await;
    }
}

/// Waits for such an event; others are kept for later.
async fn told(place: &mut Place, is_it: impl Fn(&WebhookEvent) -> bool) {
    loop {
        if let Some(at) = place.told.iter().position(&is_it) {
            place.told.remove(at);
            return;
        }
        let event = tokio::time::timeout(Duration::from_secs(10), place.webhooks.recv()).await;
        let Ok(event) = event else { panic!("it did not come; there came {:?}", place.told) };
        place.told.push(event.unwrap());
    }
}
