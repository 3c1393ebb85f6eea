//! Every call of the HTTP API, and every webhook, between this crate, the signer and the broker.

use std::sync::Arc;
use std::time::Duration;

use pusher_broker::{App, Broker};
use pusher_client::{
    Attribute, BatchEvent, ChannelEvent, ChannelName, Client, EncryptionMasterKey, EventName, HttpApi,
    Signer, SigningAuthorizer, Subscription, Trigger, User, UserEvent,
};
use pusher_signer::{ReceivedWebhook, WebhookEvent, WebhookReceiver};
use tokio::sync::mpsc;

struct Place {
    api: HttpApi,
    client: Client,
    webhooks: mpsc::UnboundedReceiver<WebhookEvent>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn signer() -> Signer {
    Signer::new("app-key", "app-secret").with_encryption_master_key(EncryptionMasterKey::new([7; 32]))
}

async fn start() -> Place {
    let (told, webhooks) = mpsc::unbounded_channel();
    let receiver = WebhookReceiver::new(signer());
    let broker = Broker::builder(App { id: "17".into(), signer: signer() })
        .client_events(true)
        .subscription_counts(true)
        .webhook(move |webhook: pusher_broker::Webhook| {
            let [content_type, key, signature] = webhook.headers().map(|(_, value)| Some(value));
            let body = webhook.body().as_bytes();
            let read = receiver.receive(&ReceivedWebhook { content_type, key, signature, body }, 0).unwrap();
            read.events.into_iter().for_each(|event| drop(told.send(event)));
            async { Ok(()) }
        })
        .build();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move { axum::serve(listener, broker.router()).await.unwrap() });
    let api = HttpApi::builder("17", signer()).host("127.0.0.1").port(port).tls(false).build().unwrap();
    let authorizer = Arc::new(SigningAuthorizer::new(signer()).as_user("42"));
    let client = Client::builder("app-key").host("127.0.0.1").port(port).tls(false);
    let client = client.authorizer(authorizer.clone()).user_authenticator(authorizer).connect().unwrap();
    Place { api, client, webhooks, server }
}

fn channel(name: &str) -> ChannelName {
    name.parse().unwrap()
}

fn name() -> EventName {
    EventName::new("news").unwrap()
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what).await.expect("within ten seconds")
}

async fn subscribed(client: &Client, name: &str) -> Subscription {
    let mut subscription = client.subscribe(channel(name)).await.unwrap();
    while !matches!(soon(subscription.next()).await.unwrap(), ChannelEvent::Subscribed) {}
    subscription
}

/// The data of the next event.
async fn data(subscription: &mut Subscription) -> String {
    loop {
        match soon(subscription.next()).await.unwrap() {
            ChannelEvent::Event(event) => return event.data().to_string(),
            ChannelEvent::DecryptionFailed { reason, .. } => panic!("{reason}"),
            _ => {}
        }
    }
}

async fn user_event(user: &mut User) -> UserEvent {
    soon(user.next()).await.unwrap()
}

#[tokio::test]
async fn what_is_published_arrives_and_is_told() {
    let Place { api, client, .. } = &start().await;
    let (mut room, mut sealed) =
        (subscribed(client, "presence-room").await, subscribed(client, "private-encrypted-a").await);
    let mut cache = subscribed(client, "cache-news").await;

    let info = [Attribute::UserCount, Attribute::SubscriptionCount];
    let event = Trigger::new(["presence-room", "cache-news"].map(channel), name(), "1").with_info(info);
    let counts = api.trigger(&event).await.unwrap();
    assert_eq!(counts["presence-room"].user_count, Some(1));
    assert_eq!(counts["cache-news"].subscription_count, Some(1));
    assert_eq!((data(&mut room).await, data(&mut cache).await), ("1".to_owned(), "1".to_owned()));

    let batch = ["presence-room", "private-encrypted-a"].map(|on| BatchEvent::new(channel(on), name(), "2"));
    assert!(api.trigger_batch(&batch).await.unwrap().is_empty());
    assert_eq!((data(&mut room).await, data(&mut sealed).await), ("2".to_owned(), "2".to_owned()));
    api.trigger(&Trigger::new([channel("private-encrypted-a")], name(), "3")).await.unwrap();
    assert_eq!(data(&mut sealed).await, "3");

    let channels = api.channels(Some("presence-"), &[Attribute::UserCount]).await.unwrap();
    assert_eq!((channels.len(), channels["presence-room"].user_count), (1, Some(1)));
    assert_eq!(api.channels(None, &[]).await.unwrap().len(), 3);
    assert_eq!(api.users(&channel("presence-room")).await.unwrap(), ["42"]);
    let known = api.channel(&channel("cache-news"), &[Attribute::Cache]).await.unwrap();
    assert_eq!((known.occupied, known.cache.unwrap().data.as_str()), (true, "1"));
    assert!(!api.channel(&channel("empty"), &[]).await.unwrap().occupied);
}

#[tokio::test]
async fn a_user_is_reached_and_cut_off() {
    let Place { api, client, .. } = &start().await;
    let mut user = client.sign_in().await.unwrap();
    assert!(matches!(user_event(&mut user).await, UserEvent::SignedIn(_)));
    api.send_to_user("42", name(), "x").await.unwrap();
    let UserEvent::Event(event) = user_event(&mut user).await else { panic!("the event") };
    assert_eq!(event.data().to_string(), "x");
    api.terminate_user_connections("42").await.unwrap();
    while !matches!(user_event(&mut user).await, UserEvent::Interrupted | UserEvent::Refused(_)) {}
}

#[tokio::test]
async fn the_brokers_webhooks_are_verified_and_read() {
    let mut place = start().await;
    let room = subscribed(&place.client, "presence-room").await;
    room.trigger("client-typing", "{}").await.unwrap();
    let _cache = subscribed(&place.client, "cache-news").await;

    let on = || "presence-room".to_owned();
    let mut expected = vec![
        WebhookEvent::ChannelOccupied { channel: on() },
        WebhookEvent::MemberAdded { channel: on(), user_id: "42".to_owned() },
        WebhookEvent::CacheMiss { channel: "cache-news".to_owned() },
        WebhookEvent::SubscriptionCount { channel: "cache-news".to_owned(), subscription_count: 1 },
    ];
    let mut typed = None;
    while !expected.is_empty() || typed.is_none() {
        match soon(place.webhooks.recv()).await.unwrap() {
            WebhookEvent::ClientEvent(event) => typed = Some(event),
            WebhookEvent::Unknown(event) => panic!("{event}"),
            event => expected.retain(|awaited| *awaited != event),
        }
    }
    let typed = typed.unwrap();
    assert_eq!((typed.channel.as_str(), typed.event.as_str()), ("presence-room", "client-typing"));
    assert_eq!((typed.data.as_str(), typed.user_id.as_deref()), ("{}", Some("42")));
}
