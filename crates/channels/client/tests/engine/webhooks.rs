use std::time::Duration;

use pusher_signer::WebhookEvent;

use crate::client_events::sender;
use crate::engine::RunningEngine;
use crate::known_differences::WEBHOOK_SENDER;
use crate::next_event::subscribed;

#[tokio::test]
async fn webhooks_of_all_kinds_are_verified_and_parsed() {
    let mut engine = RunningEngine::start().await;
    let kind = engine.kind;
    let client = engine.client("ada");
    let room = subscribed(&client, "presence-room").await;
    room.trigger("client-typing", "{}").await.unwrap();
    let cache = subscribed(&client, "cache-news").await;
    let on = || "presence-room".to_owned();
    let news = || "cache-news".to_owned();
    let typed = |event: &WebhookEvent| match event {
        WebhookEvent::ClientEvent(event) => {
            assert_eq!((event.channel.as_str(), event.event.as_str()), ("presence-room", "client-typing"));
            assert_eq!(event.data, "{}");
            WEBHOOK_SENDER.check(kind, sender(event.user_id.as_deref()));
            true
        }
        _ => false,
    };
    expect_event(&mut engine, typed).await;
    let expected = [
        WebhookEvent::ChannelOccupied { channel: on() },
        WebhookEvent::MemberAdded { channel: on(), user_id: "ada".to_owned() },
        WebhookEvent::ChannelOccupied { channel: news() },
        WebhookEvent::CacheMiss { channel: news() },
        WebhookEvent::SubscriptionCount { channel: news(), subscription_count: 1 },
    ];
    for expected in expected {
        expect_event(&mut engine, |event| *event == expected).await;
    }
    drop((room, cache));
    let expected = [
        WebhookEvent::MemberRemoved { channel: on(), user_id: "ada".to_owned() },
        WebhookEvent::ChannelVacated { channel: on() },
        WebhookEvent::ChannelVacated { channel: news() },
        WebhookEvent::SubscriptionCount { channel: news(), subscription_count: 0 },
    ];
    for expected in expected {
        expect_event(&mut engine, |event| *event == expected).await;
    }
}

/// Waits for an event that matches, and stores other events for later.
async fn expect_event(engine: &mut RunningEngine, matches: impl Fn(&WebhookEvent) -> bool) {
    loop {
        if let Some(at) = engine.received.iter().position(&matches) {
            engine.received.remove(at);
            return;
        }
        let event = tokio::time::timeout(Duration::from_secs(10), engine.webhooks.recv()).await;
        let Ok(event) = event else { panic!("the event did not arrive, only {:?}", engine.received) };
        engine.received.push(event.unwrap());
    }
}
