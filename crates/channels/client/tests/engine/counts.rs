use pusher_client::{Attribute, ChannelEvent};

use crate::engine::RunningEngine;
use crate::known_differences::COUNTS;
use crate::next_event::{next, subscribed};

#[tokio::test]
async fn subscribers_are_counted() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    let _mine = subscribed(&ada, "private-a").await;
    let _bobs = subscribed(&bob, "private-a").await;
    let channel = engine.api.channel("private-a", &[Attribute::SubscriptionCount]).await.unwrap();
    assert_eq!((channel.occupied, channel.counts.subscription_count), (true, Some(2)));
}

#[tokio::test]
async fn subscribers_receive_the_subscription_count() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    let mut mine = subscribed(&ada, "private-a").await;
    let _bobs = subscribed(&bob, "private-a").await;
    engine.publish("private-a", "the end").await;
    let mut counts = Vec::new();
    while let ChannelEvent::SubscriptionCount(count) = next(&mut mine).await {
        counts.push(count);
    }
    let seen = match counts.as_slice() {
        [1, 2] => "sent",
        [] => "not sent",
        other => panic!("{other:?}"),
    };
    COUNTS.check(engine.kind, seen);
}
