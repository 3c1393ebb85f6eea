use pusher_client::{Attribute, ChannelEvent};

use crate::differences::COUNTS;
use crate::place::{Place, name};
use crate::reading::{next, subscribed};

#[tokio::test]
async fn subscribers_are_counted() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    let _mine = subscribed(&ada, "private-a").await;
    let _theirs = subscribed(&bob, "private-a").await;
    let known = place.api.channel(&name("private-a"), &[Attribute::SubscriptionCount]).await.unwrap();
    assert_eq!((known.occupied, known.counts.subscription_count), (true, Some(2)));
}

#[tokio::test]
async fn subscribers_are_told_how_many_they_are() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    let mut mine = subscribed(&ada, "private-a").await;
    let _theirs = subscribed(&bob, "private-a").await;
    place.publish("private-a", "the end").await;
    let mut counts = Vec::new();
    while let ChannelEvent::SubscriptionCount(count) = next(&mut mine).await {
        counts.push(count);
    }
    let seen = match counts.as_slice() {
        [1, 2] => "told",
        [] => "not told",
        other => panic!("{other:?}"),
    };
    COUNTS.check(place.engine, seen);
}
