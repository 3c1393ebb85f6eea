use pusher_client::{Attribute, BatchEvent, ErrorKind, Retry, Trigger};

use crate::engine::{RunningEngine, signer};
use crate::next_event::{data, subscribed};

#[tokio::test]
async fn one_event_reaches_many_channels_and_returns_their_counts() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let mut room = subscribed(&client, "presence-room").await;
    let mut public = subscribed(&client, "news").await;
    let event = Trigger::new(["presence-room", "news", "empty"], "news", "1")
        .unwrap()
        .with_info([Attribute::UserCount, Attribute::SubscriptionCount]);
    let counts = engine.api.trigger(&event).await.unwrap();
    assert_eq!((data(&mut room).await, data(&mut public).await), ("1".to_owned(), "1".to_owned()));
    let of = |channel: &str| (counts[channel].user_count, counts[channel].subscription_count);
    assert_eq!(of("presence-room"), (Some(1), Some(1)));
    assert_eq!(of("news"), (None, Some(1)));
    assert_eq!(of("empty"), (None, Some(0)));
}

#[tokio::test]
async fn an_excluded_connection_receives_no_copy() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    let mut mine = subscribed(&ada, "private-a").await;
    let mut theirs = subscribed(&bob, "private-a").await;
    let me = ada.connected().await.unwrap();
    let event = |data| Trigger::new(["private-a"], "news", data).unwrap();
    engine.api.trigger(&event("1").excluding(me.clone())).await.unwrap();
    let batched = BatchEvent::new("private-a", "news", "2").unwrap().excluding(me);
    engine.api.trigger_batch(&[batched]).await.unwrap();
    engine.api.trigger(&event("3")).await.unwrap();
    assert_eq!(data(&mut mine).await, "3");
    for expected in ["1", "2", "3"] {
        assert_eq!(data(&mut theirs).await, expected);
    }
}

#[tokio::test]
async fn a_batch_arrives_in_order_and_returns_its_counts() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let mut private = subscribed(&client, "private-a").await;
    let mut sealed = subscribed(&client, "private-encrypted-a").await;
    let event = |channel: &str, data: &str| BatchEvent::new(channel, "news", data).unwrap();
    let batch = [event("private-a", "1"), event("private-encrypted-a", "2"), event("private-a", "3")];
    assert!(engine.api.trigger_batch(&batch).await.unwrap().is_empty());
    assert_eq!([data(&mut private).await, data(&mut private).await], ["1", "3"]);
    assert_eq!(data(&mut sealed).await, "2");
    let batch = [event("private-a", "4").with_info([Attribute::SubscriptionCount]), event("private-a", "5")];
    let counts = engine.api.trigger_batch(&batch).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|counts| counts.subscription_count).collect();
    assert_eq!(counts, [Some(1), None]);
}

#[tokio::test]
async fn data_arrives_unchanged() {
    let engine = RunningEngine::start().await;
    let client = engine.client("ada");
    let mut plain = subscribed(&client, "private-a").await;
    let mut sealed = subscribed(&client, "private-encrypted-a").await;
    for text in ["", "a word", "123", r#"{"n": 1.0, "s":"\"é\n"}"#, "é\u{2028}\u{1f600}", "null"] {
        engine.publish("private-a", text).await;
        assert_eq!(data(&mut plain).await, text);
        engine.publish("private-encrypted-a", text).await;
        assert_eq!(data(&mut sealed).await, text);
    }
}

#[tokio::test]
async fn too_much_data_is_rejected() {
    let engine = RunningEngine::start().await;
    let api = engine.api_with(signer()).max_data_bytes(100_000).retry(Retry::never()).build().unwrap();
    let event = |bytes: usize| Trigger::new(["private-a"], "news", "x".repeat(bytes)).unwrap();
    api.trigger(&event(10_240)).await.unwrap();
    let error = api.trigger(&event(10_241)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::TooLarge, Some(413)));
}
