//! The WebSocket client against this project's broker, over real sockets.
#![cfg(feature = "websocket")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use pusher_broker::{App, Broker};
use pusher_client::{
    BoundEvent, ChannelEvent, ChannelName, Client, ErrorKind, EventName, Signer, SigningAuthorizer,
    Subscription, UserAuthentication, UserAuthenticationRequest, UserAuthenticator, UserEvent,
};
use pusher_signer::EncryptionMasterKey;
use pusher_signer::encrypted::SharedSecret;

const MASTER_KEY: [u8; 32] = [7; 32];

struct Running {
    broker: Broker,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn signer() -> Signer {
    Signer::new("app-key", "secret").with_encryption_master_key(EncryptionMasterKey::new(MASTER_KEY))
}

async fn start() -> Running {
    let app = App { id: "1".into(), signer: signer() };
    let broker = Broker::builder(app).client_events(true).subscription_counts(true).build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = broker.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Running { broker, port, server }
}

/// Signs in as a user who watches bob.
struct WatchingBob(String);

#[async_trait::async_trait]
impl UserAuthenticator for WatchingBob {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, pusher_client::AuthorizationError> {
        let data = serde_json::json!({ "id": self.0, "watchlist": ["bob"] }).to_string();
        Ok(signer().authenticate_user(&request.socket_id, &data).unwrap())
    }
}

impl Running {
    fn client(&self, user: &str) -> Client {
        let authorizer = SigningAuthorizer::new(signer()).as_user(user);
        Client::builder("app-key")
            .host("127.0.0.1")
            .port(self.port)
            .tls(false)
            .authorizer(Arc::new(authorizer))
            .user_authenticator(Arc::new(WatchingBob(user.to_owned())))
            .connect()
            .unwrap()
    }

    fn publish(&self, channel: &str, data: &str) {
        self.broker.publish(&name(channel), &EventName::new("n").unwrap(), data, None).unwrap();
    }
}

fn name(channel: &str) -> ChannelName {
    channel.parse().unwrap()
}

async fn next<T: Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    let next = tokio::time::timeout(Duration::from_secs(30), stream.next());
    next.await.expect("nothing came").expect("ended")
}

/// What comes first that is not a subscription count.
async fn next_but_counts(subscription: &mut Subscription) -> ChannelEvent {
    loop {
        match next(subscription).await {
            ChannelEvent::SubscriptionCount(_) => {}
            other => return other,
        }
    }
}

async fn subscribed(client: &Client, channel: &str) -> Subscription {
    let mut subscription = client.subscribe(name(channel)).await.unwrap();
    assert_eq!(next_but_counts(&mut subscription).await, ChannelEvent::Subscribed);
    subscription
}

async fn data(subscription: &mut Subscription) -> String {
    match next_but_counts(subscription).await {
        ChannelEvent::Event(event) => event.data().to_owned(),
        other => panic!("no event: {other:?}"),
    }
}

#[tokio::test]
async fn every_kind_of_channel_is_subscribed_to_and_gets_its_events() {
    let running = start().await;
    let client = running.client("ada");
    for channel in ["news", "cache-news", "private-a", "private-cache-a", "presence-a", "presence-cache-a"] {
        let mut subscription = subscribed(&client, channel).await;
        if name(channel).kind().is_cache() {
            assert_eq!(next_but_counts(&mut subscription).await, ChannelEvent::CacheMiss, "{channel}");
        }
        running.publish(channel, "x");
        assert_eq!(data(&mut subscription).await, "x", "{channel}");
    }
    for channel in ["private-encrypted-a", "private-encrypted-cache-a"] {
        let mut subscription = subscribed(&client, channel).await;
        let secret = SharedSecret::derive(&name(channel), &EncryptionMasterKey::new(MASTER_KEY));
        running.publish(channel, &secret.seal([1; 24], "x"));
        match next_but_counts(&mut subscription).await {
            ChannelEvent::CacheMiss => assert_eq!(data(&mut subscription).await, "x"),
            ChannelEvent::Event(event) => assert_eq!(event.data(), "x"),
            other => panic!("{other:?}"),
        }
    }
    let mut late = subscribed(&running.client("bob"), "cache-news").await;
    assert_eq!(data(&mut late).await, "x");
}

#[tokio::test]
async fn members_come_and_go_and_subscribers_are_counted() {
    let running = start().await;
    let (ada, bob) = (running.client("ada"), running.client("bob"));
    let mut room = subscribed(&ada, "presence-room").await;
    assert_eq!(room.members().me().unwrap().id(), "ada");
    let theirs = subscribed(&bob, "presence-room").await;
    assert_eq!(theirs.members().count(), 2);
    let ChannelEvent::MemberAdded(member) = next(&mut room).await else { panic!() };
    assert_eq!(member.id(), "bob");
    drop(theirs);
    let ChannelEvent::MemberRemoved(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), room.members().count()), ("bob", 1));

    let mut news = subscribed(&ada, "news").await;
    let _theirs = subscribed(&bob, "news").await;
    while next(&mut news).await != ChannelEvent::SubscriptionCount(2) {}
    assert_eq!(news.subscription_count(), Some(2));
}

#[tokio::test]
async fn client_events_reach_the_others_with_their_sender() {
    let running = start().await;
    let (ada, bob) = (running.client("ada"), running.client("bob"));
    let room = subscribed(&ada, "presence-room").await;
    let theirs = subscribed(&bob, "presence-room").await;
    let mut typing = theirs.bind("client-typing").await.unwrap();
    let mut mine = ada.bind_global().await.unwrap();
    room.trigger("client-typing", r#"{"on":true}"#).await.unwrap();
    let BoundEvent::Event(event) = next(&mut typing).await else { panic!() };
    assert_eq!((event.data(), event.user_id()), (r#"{"on":true}"#, Some("ada")));
    running.publish("presence-room", "x");
    let BoundEvent::Event(event) = next(&mut mine).await else { panic!() };
    assert_eq!(event.data(), "x", "one's own event came back");
}

#[tokio::test]
async fn the_user_gets_what_is_sent_and_who_is_watched() {
    let running = start().await;
    let (ada, bob) = (running.client("ada"), running.client("bob"));
    let mut user = ada.sign_in().await.unwrap();
    loop {
        match next(&mut user).await {
            UserEvent::SignedIn(data) => break assert_eq!(data.id, "ada"),
            UserEvent::Offline(_) | UserEvent::Online(_) => {}
            other => panic!("{other:?}"),
        }
    }
    running.publish("#server-to-user-ada", "x");
    let theirs = bob.sign_in().await.unwrap();
    let (mut sent, mut online) = (false, false);
    while !(sent && online) {
        match next(&mut user).await {
            UserEvent::Event(event) => sent = event.data() == "x",
            UserEvent::Online(ids) => online = ids == ["bob"],
            UserEvent::Offline(_) => {}
            other => panic!("{other:?}"),
        }
    }
    drop((theirs, bob));
    while next(&mut user).await != UserEvent::Offline(vec!["bob".to_owned()]) {}
    assert_eq!(running.broker.terminate_connections("ada"), 1);
    assert_eq!(next(&mut user).await, UserEvent::Interrupted);
    let UserEvent::Refused(error) = next(&mut user).await else { panic!() };
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(4009)));
}
