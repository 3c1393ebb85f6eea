use pusher_broker::{ChannelName, ErrorKind, EventName};
use serde_json::json;

use crate::support::*;

fn names(channel: &str, event: &str) -> (ChannelName, EventName) {
    (channel.parse().unwrap(), EventName::new(event).unwrap())
}

#[tokio::test]
async fn a_triggered_event_reaches_every_subscriber_and_nobody_else() {
    let broker = broker();
    let (mut ada, mut bob, mut eve) =
        (connect(&broker).await, connect(&broker).await, connect(&broker).await);
    ada.subscribe("news").await;
    bob.subscribe("news").await;
    eve.subscribe("olds").await;
    let body = json!({"name": "hello", "channel": "news", "data": "{\"n\":1}"}).to_string();
    assert_eq!(post(&broker, "/apps/3/events", &body).await, (200.try_into().unwrap(), "{}".to_owned()));
    for client in [&mut ada, &mut bob] {
        assert_eq!(client.next().await, event("hello", "news", "{\"n\":1}"));
    }
    let (channel, name) = names("olds", "later");
    assert_eq!(broker.publish(&channel, &name, "plain", None), Ok(1));
    assert_eq!(eve.next().await, event("later", "olds", "plain"));
}

#[tokio::test]
async fn the_excluded_socket_gets_nothing() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe("news").await;
    bob.subscribe("news").await;
    let body = json!({"name": "a", "channels": ["news"], "data": "1", "socket_id": ada.id.as_str()});
    assert_eq!(post(&broker, "/apps/3/events", &body.to_string()).await.0, 200);
    let (channel, name) = names("news", "b");
    assert_eq!(broker.publish(&channel, &name, "2", Some(&bob.id)), Ok(1));
    assert_eq!(ada.next().await, event("b", "news", "2"));
    assert_eq!(bob.next().await, event("a", "news", "1"));
}

#[tokio::test]
async fn an_event_goes_once_to_each_of_its_channels() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("a").await;
    client.subscribe("private-b").await;
    let body = json!({"name": "e", "channels": ["a", "private-b", "a", "empty"], "data": ""}).to_string();
    assert_eq!(post(&broker, "/apps/3/events", &body).await.0, 200);
    let (channel, name) = names("a", "end");
    broker.publish(&channel, &name, "", None).unwrap();
    for expected in [event("e", "a", ""), event("e", "private-b", ""), event("end", "a", "")] {
        assert_eq!(client.next().await, expected);
    }
}

#[tokio::test]
async fn a_batch_is_published_in_its_order() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("a").await;
    client.subscribe("b").await;
    let batch: Vec<_> = (0..10)
        .map(|n| json!({"channel": (["a", "b"][n % 2]), "name": "e", "data": n.to_string()}))
        .collect();
    let body = json!({"batch": batch}).to_string();
    assert_eq!(
        post(&broker, "/apps/3/batch_events", &body).await,
        (200.try_into().unwrap(), "{}".to_owned())
    );
    for n in 0..10 {
        assert_eq!(client.next().await, event("e", ["a", "b"][n % 2], &n.to_string()));
    }
}

#[tokio::test]
async fn data_arrives_as_it_was_sent() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    let longest = "é".repeat(5_120);
    for data in ["", "plain", "123", "null", "{\"a\":\"\\u0000\"}", "\u{0}\u{1f}\"\\\u{2028}", &longest] {
        let body = json!({"name": "e", "channel": "news", "data": data}).to_string();
        assert_eq!(post(&broker, "/apps/3/events", &body).await.0, 200, "{data:.20}");
        assert_eq!(client.next().await, event("e", "news", data));
    }
}

#[tokio::test]
async fn invalid_data_is_rejected_in_process_too() {
    let broker = broker();
    let (channel, name) = names("news", "e");
    let kind = |result: Result<usize, pusher_broker::Error>| result.unwrap_err().kind();
    assert_eq!(kind(broker.publish(&channel, &name, &"a".repeat(10_241), None)), ErrorKind::DataTooLong);
    assert_eq!(broker.publish(&channel, &name, &"a".repeat(10_240), None), Ok(0));
}

#[tokio::test]
async fn nothing_is_published_to_a_client_that_left() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    client.ws.close(None).await.unwrap();
    while futures_util::StreamExt::next(&mut client.ws).await.is_some() {}
    let (channel, name) = names("news", "e");
    assert_eq!(broker.publish(&channel, &name, "", None), Ok(0));
    assert_eq!(broker.connections(), 0);
}
