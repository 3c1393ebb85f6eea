//! Waiting for what an engine tells.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use pusher_client::{ChannelEvent, Client, Subscription, User, UserEvent};

use crate::place::name;

pub(crate) async fn next<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let next = tokio::time::timeout(Duration::from_secs(10), stream.next());
    next.await.expect("nothing came").expect("ended")
}

/// What comes first that is not a subscription count.
pub(crate) async fn next_but_counts(subscription: &mut Subscription) -> ChannelEvent {
    loop {
        match next(subscription).await {
            ChannelEvent::SubscriptionCount(_) => {}
            other => return other,
        }
    }
}

/// A subscription that stands.
pub(crate) async fn subscribed(client: &Client, channel: &str) -> Subscription {
    let mut subscription = client.subscribe(name(channel)).await.unwrap();
    assert_eq!(next_but_counts(&mut subscription).await, ChannelEvent::Subscribed, "{channel}");
    subscription
}

/// The data of what comes next, which is an event.
pub(crate) async fn data(subscription: &mut Subscription) -> String {
    match next_but_counts(subscription).await {
        ChannelEvent::Event(event) => event.data().to_owned(),
        other => panic!("no event: {other:?}"),
    }
}

/// A sign-in that stands.
pub(crate) async fn signed_in(client: &Client) -> User {
    let mut user = client.sign_in().await.unwrap();
    loop {
        match next(&mut user).await {
            UserEvent::SignedIn(_) => return user,
            UserEvent::Online(_) | UserEvent::Offline(_) => {}
            other => panic!("{other:?}"),
        }
    }
}
