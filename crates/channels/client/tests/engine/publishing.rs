use pusher_client::{Attribute, BatchEvent, ErrorKind, Retry, Trigger};

use crate::place::{Place, name, news, signer};
use crate::reading::{data, subscribed};

#[tokio::test]
async fn one_event_reaches_many_channels_and_tells_their_counts() {
    let place = Place::start().await;
    let client = place.client("ada");
    let mut room = subscribed(&client, "presence-room").await;
    let mut public = subscribed(&client, "news").await;
    let event = Trigger::new(["presence-room", "news", "empty"].map(name), news(), "1")
        .with_info([Attribute::UserCount, Attribute::SubscriptionCount]);
    let counts = place.api.trigger(&event).await.unwrap();
    assert_eq!((data(&mut room).await, data(&mut public).await), ("1".to_owned(), "1".to_owned()));
    let of = |channel: &str| (counts[channel].user_count, counts[channel].subscription_count);
    assert_eq!(of("presence-room"), (Some(1), Some(1)));
    assert_eq!(of("news"), (None, Some(1)));
    assert_eq!(of("empty"), (None, Some(0)));
}

#[tokio::test]
async fn whoever_is_excluded_gets_no_copy() {
    let place = Place::start().await;
    let (ada, bob) = (place.client("ada"), place.client("bob"));
    let mut mine = subscribed(&ada, "private-a").await;
    let mut theirs = subscribed(&bob, "private-a").await;
    let me = ada.connected().await.unwrap();
    let event = |data| Trigger::new([name("private-a")], news(), data);
    place.api.trigger(&event("1").excluding(me.clone())).await.unwrap();
    let batched = BatchEvent::new(name("private-a"), news(), "2").excluding(me);
    place.api.trigger_batch(&[batched]).await.unwrap();
    place.api.trigger(&event("3")).await.unwrap();
    assert_eq!(data(&mut mine).await, "3");
    for expected in ["1", "2", "3"] {
        assert_eq!(data(&mut theirs).await, expected);
    }
}

#[tokio::test]
async fn a_batch_arrives_in_its_order_and_tells_its_counts() {
    let place = Place::start().await;
    let client = place.client("ada");
    let mut private = subscribed(&client, "private-a").await;
    let mut sealed = subscribed(&client, "private-encrypted-a").await;
    let event = |channel, data: &str| BatchEvent::new(name(channel), news(), data);
    let batch = [event("private-a", "1"), event("private-encrypted-a", "2"), event("private-a", "3")];
    assert!(place.api.trigger_batch(&batch).await.unwrap().is_empty());
    assert_eq!([data(&mut private).await, data(&mut private).await], ["1", "3"]);
    assert_eq!(data(&mut sealed).await, "2");
    let batch = [event("private-a", "4").with_info([Attribute::SubscriptionCount]), event("private-a", "5")];
    let counts = place.api.trigger_batch(&batch).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|counts| counts.subscription_count).collect();
    assert_eq!(counts, [Some(1), None]);
}

#[tokio::test]
async fn data_arrives_as_it_was_sent() {
    let place = Place::start().await;
    let client = place.client("ada");
    let mut plain = subscribed(&client, "private-a").await;
    let mut sealed = subscribed(&client, "private-encrypted-a").await;
    for text in ["", "a word", "123", r#"{"n": 1.0, "s":"\"é\n"}"#, "é\u{2028}\u{1f600}", "null"] {
        place.publish("private-a", text).await;
        assert_eq!(data(&mut plain).await, text);
        place.publish("private-encrypted-a", text).await;
        assert_eq!(data(&mut sealed).await, text);
    }
}

#[tokio::test]
async fn too_much_data_is_refused() {
    let place = Place::start().await;
    let api = place.api_with(signer()).max_data_bytes(100_000).retry(Retry::never()).build().unwrap();
    let event = |bytes: usize| Trigger::new([name("private-a")], news(), "x".repeat(bytes));
    api.trigger(&event(10_240)).await.unwrap();
    let error = api.trigger(&event(10_241)).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::TooLarge, Some(413)));
}
