use std::time::Duration;

use pusher_client::protocol::Frame;
use pusher_client::{ChannelEvent, Client, ErrorKind, Subscription};
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::{Net, Peer, ada, name, next};

const CHANNEL: &str = "private-ada";

async fn subscribed(net: &Net, client: &Client) -> (Subscription, Peer) {
    let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_subscribe(CHANNEL).await;
    peer.confirm(CHANNEL).await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
    (ada, peer)
}

#[tokio::test(start_paused = true)]
async fn a_client_event_is_sent_as_a_frame_of_its_channel() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).connect().unwrap();
    let (ada, mut peer) = subscribed(&net, &client).await;
    ada.trigger("client-typing", r#"{"on":true}"#).await.unwrap();
    let Some(Message::Text(text)) = peer.message().await else { panic!() };
    let frame = Frame::parse(&text).unwrap();
    assert_eq!((&*frame.event, frame.channel.as_deref()), ("client-typing", Some(CHANNEL)));
    assert_eq!(frame.data().text(), r#"{"on":true}"#);
}

#[tokio::test(start_paused = true)]
async fn json_data_is_sent_as_it_is() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).connect().unwrap();
    let (ada, mut peer) = subscribed(&net, &client).await;
    ada.trigger_json("client-typing", &serde_json::json!({"on": true})).await.unwrap();
    let Some(Message::Text(text)) = peer.message().await else { panic!() };
    assert_eq!(text.as_str(), r#"{"event":"client-typing","channel":"private-ada","data":{"on":true}}"#);
    let too_long = ada.trigger_json("client-typing", &"x".repeat(10_239)).await.unwrap_err();
    assert_eq!(too_long.kind(), ErrorKind::Limit);
}

#[tokio::test(start_paused = true)]
async fn each_rejection_has_its_own_kind_and_sends_nothing() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).connect().unwrap();
    let kind = async |channel: &str, event: &str, bytes: usize| {
        client.trigger(&name(channel), event, "x".repeat(bytes)).await.unwrap_err().kind()
    };
    assert_eq!(kind(CHANNEL, "client-n", 1).await, ErrorKind::NotConnected);
    let mut peer = net.establish(1).await;
    client.connected().await.unwrap();
    assert_eq!(kind(CHANNEL, "client-n", 1).await, ErrorKind::NotSubscribed);
    let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
    peer.expect_subscribe(CHANNEL).await;
    assert_eq!(kind(CHANNEL, "client-n", 1).await, ErrorKind::NotSubscribed);
    peer.confirm(CHANNEL).await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
    for event in ["n", "", "Client-n", "pusher:client-n", "client-\n"] {
        assert_eq!(kind(CHANNEL, event, 1).await, ErrorKind::EventName, "{event:?}");
    }
    for channel in ["news", "cache-news", "#server-to-user-ada"] {
        assert_eq!(kind(channel, "client-n", 1).await, ErrorKind::PublicChannel, "{channel}");
    }
    for channel in ["private-encrypted-a", "private-encrypted-cache-a"] {
        assert_eq!(kind(channel, "client-n", 1).await, ErrorKind::EncryptedChannel, "{channel}");
    }
    assert_eq!(kind(CHANNEL, "client-n", 10_241).await, ErrorKind::Limit);
    peer.expect_nothing().await;
    client.disconnect().await.unwrap();
    assert_eq!(kind(CHANNEL, "client-n", 1).await, ErrorKind::NotConnected);
}

#[tokio::test(start_paused = true)]
async fn the_eleventh_client_event_of_a_second_is_rejected() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).connect().unwrap();
    let (ada, mut peer) = subscribed(&net, &client).await;
    for _ in 0..10 {
        ada.trigger("client-n", "x").await.unwrap();
        assert!(peer.message().await.is_some());
    }
    let error = ada.trigger("client-n", "x").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::RateLimited, true));
    peer.expect_nothing().await;
    tokio::time::advance(Duration::from_secs(1)).await;
    ada.trigger("client-n", "x").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_limit_can_be_turned_off() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).client_event_limit(None).connect().unwrap();
    let (ada, mut peer) = subscribed(&net, &client).await;
    for _ in 0..100 {
        ada.trigger("client-n", "x").await.unwrap();
        assert!(peer.message().await.is_some());
    }
}
