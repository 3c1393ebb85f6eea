//! Waits for the next event of a stream.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use pusher_client::{ChannelEvent, Client, Subscription, User, UserEvent};

pub(crate) async fn next<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let next = tokio::time::timeout(Duration::from_secs(10), stream.next());
    next.await.expect("there was no event in time").expect("the stream ended")
}

/// Returns the next event that is not a subscription count.
pub(crate) async fn next_without_counts(subscription: &mut Subscription) -> ChannelEvent {
    loop {
        match next(subscription).await {
            ChannelEvent::SubscriptionCount(_) => {}
            other => return other,
        }
    }
}

/// Subscribes, and waits for the confirmation.
pub(crate) async fn subscribed(client: &Client, channel: &str) -> Subscription {
    let mut subscription = client.subscribe(channel).await.unwrap();
    assert_eq!(next_without_counts(&mut subscription).await, ChannelEvent::Subscribed, "{channel}");
    subscription
}

/// Returns the data of the next event.
pub(crate) async fn data(subscription: &mut Subscription) -> String {
    match next_without_counts(subscription).await {
        ChannelEvent::Event(event) => event.data().to_owned(),
        other => panic!("expected an event, got {other:?}"),
    }
}

/// Signs in, and waits for the confirmation.
pub(crate) async fn signed_in(client: &Client) -> User {
    let mut user = client.sign_in().await.unwrap();
    loop {
        match next(&mut user).await {
            UserEvent::SignedIn(_) => return user,
            UserEvent::Online(_) | UserEvent::Offline(_) => {}
            other => panic!("expected SignedIn, got {other:?}"),
        }
    }
}
