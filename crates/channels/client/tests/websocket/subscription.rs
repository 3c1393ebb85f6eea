use std::time::Duration;

use futures_util::StreamExt;
use pusher_client::protocol::published_event;
use pusher_client::{ChannelEvent, ErrorKind};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::scripted_server::{Net, next, next_data};

/// Returns a server's frame with a short text, final and not masked (RFC 6455, 5.2).
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 126).unwrap();
    [&[0x81, length], text.as_bytes()].concat()
}

#[tokio::test(start_paused = true)]
async fn events_reach_the_subscriber_unchanged_and_in_order() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut news = client.subscribe("news").await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.expect_subscribe("news").await, "");
    peer.confirm("news").await;
    let texts = ["123", r#"{"a":"é\n\"\u0000"}"#, "plain", ""];
    for text in texts {
        peer.publish("news", "n", text).await;
    }
    peer.text(r#"{"event":"client-n","channel":"news","data":{"a":1},"user_id":"ada"}"#).await;

    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    for text in texts {
        assert_eq!(next_data(&mut news).await, text);
    }
    let ChannelEvent::Event(event) = next(&mut news).await else { panic!() };
    assert_eq!((event.name(), event.data(), event.user_id()), ("client-n", r#"{"a":1}"#, Some("ada")));
    assert_eq!(event.channel().as_str(), "news");
}

#[tokio::test(start_paused = true)]
async fn several_subscribers_share_one_subscription() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut first = client.subscribe("news").await.unwrap();
    let (mut second, mut peer) = net.confirmed(&client, "news").await;
    assert_eq!(next(&mut first).await, ChannelEvent::Subscribed);
    assert_eq!(next(&mut second).await, ChannelEvent::Subscribed);

    let mut late = client.subscribe("news").await.unwrap();
    assert_eq!(next(&mut late).await, ChannelEvent::Subscribed);
    drop(first);
    drop(second);
    peer.expect_nothing().await;
    peer.publish("news", "n", "x").await;
    assert_eq!(next_data(&mut late).await, "x");

    drop(late);
    peer.expect_unsubscribe("news").await;
    let _again = client.subscribe("news").await.unwrap();
    peer.expect_subscribe("news").await;
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn events_of_other_channels_and_of_the_protocol_are_not_delivered() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.requested(&client, "news").await;
    peer.publish("news", "n", "before the confirmation").await;
    peer.confirm("news").await;
    peer.publish("other", "n", "of another channel").await;
    peer.publish("news", "pusher:unknown", "{}").await;
    peer.publish("news", "pusher_internal:subscription_count", "{}").await;
    peer.publish("news", "n", "x").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(next_data(&mut news).await, "x");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_reported_and_the_channels_are_subscribed_again() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut news = client.subscribe("news").await.unwrap();
    let gone = client.subscribe("gone").await.unwrap();
    let mut peer = net.establish(1).await;
    for channel in ["gone", "news"] {
        peer.expect_subscribe(channel).await;
        peer.confirm(channel).await;
    }
    drop(gone);
    peer.expect_unsubscribe("gone").await;
    drop(peer);
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(next(&mut news).await, ChannelEvent::Interrupted);
    let mut peer = net.establish(2).await;
    peer.expect_subscribe("news").await;
    peer.expect_nothing().await;
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_does_not_read_lags_and_blocks_nothing() {
    let net = Net::new();
    let client = net.client().queue_size(3).connect().unwrap();
    let mut slow = client.subscribe("news").await.unwrap();
    let (mut quick, mut peer) = net.subscribed(&client, "news").await;
    for number in 0..10 {
        peer.publish("news", "n", &number.to_string()).await;
        assert_eq!(next_data(&mut quick).await, number.to_string());
    }
    assert_eq!(next(&mut slow).await, ChannelEvent::Subscribed);
    assert_eq!(next_data(&mut slow).await, "0");
    assert_eq!(next_data(&mut slow).await, "1");
    assert_eq!(next(&mut slow).await, ChannelEvent::Lagged(8));
    peer.publish("news", "n", "x").await;
    assert_eq!(next_data(&mut slow).await, "x");
}

#[tokio::test(start_paused = true)]
async fn a_channel_without_subscribers_is_unsubscribed_once_confirmed() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (news, mut peer) = net.requested(&client, "news").await;
    drop(news);
    peer.expect_nothing().await;
    peer.confirm("news").await;
    peer.expect_unsubscribe("news").await;
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_pending_request_serves_a_new_subscriber() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (news, mut peer) = net.requested(&client, "news").await;
    drop(news);
    peer.expect_nothing().await;
    let mut again = client.subscribe("news").await.unwrap();
    peer.expect_nothing().await;
    peer.confirm("news").await;
    assert_eq!(next(&mut again).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn an_unconfirmed_subscription_is_sent_again() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.requested(&client, "news").await;
    let start = Instant::now();
    peer.expect_subscribe("news").await;
    assert!(start.elapsed() >= Duration::from_secs(10));
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(net.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_names_the_channel_ends_only_that_subscription() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let soketi = r#"{"event":"pusher:subscription_error","channel":"b","data":{"type":"AuthError","error":"no","status":401}}"#;
    let mut subscriptions = Vec::new();
    let mut peer = net.establish(1).await;
    for channel in ["a", "b", "c"] {
        subscriptions.push(client.subscribe(channel).await.unwrap());
        peer.expect_subscribe(channel).await;
    }
    peer.refuse(None, "no", Some("a")).await;
    peer.text(soketi).await;
    peer.confirm("c").await;
    for (subscription, code) in subscriptions.iter_mut().zip([None, Some(401)]) {
        let ChannelEvent::Refused(error) = next(subscription).await else { panic!() };
        assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, code));
        assert_eq!(error.to_string(), "no");
        assert!(subscription.next().await.is_none());
    }
    assert_eq!(next(&mut subscriptions[2]).await, ChannelEvent::Subscribed);
    let _again = client.subscribe("a").await.unwrap();
    peer.expect_subscribe("a").await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_rejection_is_retried() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.requested(&client, "news").await;
    peer.refuse(Some(4100), "over capacity", Some("news")).await;
    peer.expect_subscribe("news").await;
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn an_error_without_a_channel_is_reported_by_the_client() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut errors = client.errors();
    let (mut news, mut peer) = net.subscribed(&client, "news").await;
    peer.refuse(None, "Existing subscription to channel news", None).await;
    peer.refuse(Some(4301), "too fast", Some("news")).await;
    assert_eq!(errors.next().await.unwrap().to_string(), "Existing subscription to channel news");
    assert_eq!(errors.next().await.unwrap().code(), Some(4301));
    peer.publish("news", "n", "x").await;
    assert_eq!(next_data(&mut news).await, "x");
}

#[tokio::test(start_paused = true)]
async fn unsupported_channels_are_rejected_with_an_error() {
    let net = Net::new();
    let client = net.client().build().unwrap();
    for (channel, kind) in [
        ("private-ada", ErrorKind::Configuration),
        ("private-encrypted-ada", ErrorKind::Configuration),
        ("#server-to-user-ada", ErrorKind::Unsupported),
    ] {
        assert_eq!(client.subscribe(channel).await.unwrap_err().kind(), kind, "{channel}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_channel_delivers_its_last_event_or_a_cache_miss() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut full = client.subscribe("cache-a").await.unwrap();
    let mut empty = client.subscribe("cache-b").await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_subscribe("cache-a").await;
    peer.expect_subscribe("cache-b").await;
    peer.confirm("cache-a").await;
    peer.publish("cache-a", "n", "kept").await;
    peer.confirm("cache-b").await;
    for form in ["", r#","data":null"#, r#","data":"{}""#] {
        peer.text(&format!(r#"{{"event":"pusher:cache_miss","channel":"cache-b"{form}}}"#)).await;
    }
    assert_eq!(next(&mut full).await, ChannelEvent::Subscribed);
    assert_eq!(next_data(&mut full).await, "kept");
    assert_eq!(next(&mut empty).await, ChannelEvent::Subscribed);
    for _ in 0..3 {
        assert_eq!(next(&mut empty).await, ChannelEvent::CacheMiss);
    }
}

#[tokio::test(start_paused = true)]
async fn the_subscription_count_is_reported_and_stored() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.subscribed(&client, "news").await;
    assert!(news.is_subscribed());
    assert_eq!(news.subscription_count(), None);
    let count = serde_json::json!({ "subscription_count": 7 });
    peer.frame("pusher_internal:subscription_count", "news", &count).await;
    assert_eq!(next(&mut news).await, ChannelEvent::SubscriptionCount(7));
    assert_eq!(client.subscribe("news").await.unwrap().channel().as_str(), "news");
    assert_eq!(news.subscription_count(), Some(7));
    let mut late = client.subscribe("news").await.unwrap();
    assert_eq!(next(&mut late).await, ChannelEvent::Subscribed);
    assert_eq!(late.subscription_count(), Some(7));
    drop(peer);
    assert_eq!(next(&mut news).await, ChannelEvent::Interrupted);
    assert_eq!((news.is_subscribed(), news.subscription_count()), (false, None));
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_ends_the_streams_of_all_subscribers() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut first = client.subscribe("news").await.unwrap();
    let (mut second, mut peer) = net.confirmed(&client, "news").await;
    for subscription in [&mut first, &mut second] {
        assert_eq!(next(subscription).await, ChannelEvent::Subscribed);
    }
    client.unsubscribe("news").await.unwrap();
    peer.expect_unsubscribe("news").await;
    assert!(first.next().await.is_none());
    assert!(second.next().await.is_none());
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_rejection_of_a_subscribed_channel_changes_nothing() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.subscribed(&client, "news").await;
    peer.text(
        r#"{"event":"pusher:subscription_error","channel":"news","data":{"error":"busy","status":503}}"#,
    )
    .await;
    peer.publish("news", "n", "x").await;
    assert_eq!(next_data(&mut news).await, "x");
    // Longer than any wait before a retry.
    tokio::time::advance(Duration::from_secs(60)).await;
    peer.expect_nothing().await;
    assert!(news.is_subscribed());
}

#[tokio::test]
async fn a_burst_does_not_overflow_a_subscriber_on_the_same_thread() {
    const EVENTS: usize = 5_000;
    let net = Net::with_pipe(1 << 20);
    let client = net.client().queue_size(1_000).connect().unwrap();
    let (mut news, mut peer) = net.subscribed(&client, "news").await;
    let reader = tokio::spawn(async move {
        for number in 0..EVENTS {
            assert_eq!(next_data(&mut news).await, number.to_string());
        }
    });
    let burst: Vec<u8> =
        (0..EVENTS).flat_map(|number| frame(&published_event("n", "news", &number.to_string()))).collect();
    peer.0.get_mut().write_all(&burst).await.unwrap();
    reader.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_second_error_without_a_channel_in_a_row_refuses_the_pending_subscription() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.requested(&client, "news").await;
    let mut other = client.subscribe("other").await.unwrap();
    peer.expect_subscribe("other").await;
    peer.refuse(None, "Invalid signature", None).await;
    peer.confirm("other").await;
    peer.expect_subscribe("news").await;
    peer.refuse(None, "Invalid signature", None).await;
    let error = match next(&mut news).await {
        ChannelEvent::Refused(error) => error,
        event => panic!("{event:?}"),
    };
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Refused, "Invalid signature"));
    assert_eq!(next(&mut other).await, ChannelEvent::Subscribed);
    assert!(other.is_subscribed());
}

#[tokio::test(start_paused = true)]
async fn errors_without_a_channel_that_are_not_in_a_row_refuse_no_subscription() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut news, mut peer) = net.requested(&client, "news").await;
    for is_followed_by_an_error in [true, false, true] {
        if is_followed_by_an_error {
            peer.refuse(None, "Too many requests", None).await;
        }
        peer.expect_subscribe("news").await;
    }
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn subscribed_returns_once_the_server_has_decided() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (news, mut peer) = net.requested(&client, "news").await;
    let mut waiting = Box::pin(news.subscribed());
    assert!(futures_util::FutureExt::now_or_never(&mut waiting).is_none());
    peer.confirm("news").await;
    waiting.await.unwrap();
    news.subscribed().await.unwrap();

    let other = client.subscribe("other").await.unwrap();
    peer.expect_subscribe("other").await;
    peer.refuse(None, "no", Some("other")).await;
    assert_eq!(other.subscribed().await.unwrap_err().to_string(), "no");

    client.unsubscribe("news").await.unwrap();
    assert!(news.subscribed().await.is_ok(), "it was, and no later state is known");
    let third = client.subscribe("third").await.unwrap();
    client.unsubscribe("third").await.unwrap();
    assert_eq!(third.subscribed().await.unwrap_err().kind(), ErrorKind::Closed);
}
