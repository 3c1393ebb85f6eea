use futures_util::StreamExt;
use pusher_client::{Binding, BoundEvent, ChannelEvent, Client};

use crate::scripted_server::{LONG, Net, Peer, ada, next};

async fn texts<const N: usize>(binding: &mut Binding) -> [String; N] {
    let mut texts = std::array::from_fn(|_| String::new());
    for text in &mut texts {
        let event = tokio::time::timeout(LONG, StreamExt::next(binding)).await.expect("nothing came");
        *text = match event.expect("ended") {
            BoundEvent::Event(event) => format!("{} {} {}", event.channel(), event.name(), event.data()),
            other => format!("{other:?}"),
        };
    }
    texts
}

async fn two_channels(net: &Net, client: &Client) -> (Peer, [pusher_client::Subscription; 2]) {
    let mut peer = net.establish(1).await;
    let mut subscriptions = Vec::new();
    for channel in ["a", "b"] {
        let mut subscription = client.subscribe(channel).await.unwrap();
        peer.expect_subscribe(channel).await;
        peer.confirm(channel).await;
        assert_eq!(next(&mut subscription).await, ChannelEvent::Subscribed);
        subscriptions.push(subscription);
    }
    (peer, subscriptions.try_into().unwrap())
}

#[tokio::test(start_paused = true)]
async fn events_are_bound_by_name_by_channel_and_globally() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut peer, [a, _b]) = two_channels(&net, &client).await;
    let mut all = client.bind_global().await.unwrap();
    let mut news = client.bind("news").await.unwrap();
    let mut news_of_a = a.bind("news").await.unwrap();
    for (channel, event, data) in
        [("a", "other", "1"), ("b", "news", "2"), ("c", "news", "3"), ("a", "news", "4"), ("b", "other", "5")]
    {
        peer.publish(channel, event, data).await;
    }
    assert_eq!(texts(&mut all).await, ["a other 1", "b news 2", "a news 4", "b other 5"]);
    assert_eq!(texts(&mut news).await, ["b news 2", "a news 4"]);
    assert_eq!(texts(&mut news_of_a).await, ["a news 4"]);
}

#[tokio::test(start_paused = true)]
async fn events_sent_to_the_user_are_bound_too() {
    let net = Net::new();
    let client = net.client().user_authenticator(ada()).connect().unwrap();
    let mut all = client.bind_global().await.unwrap();
    let _user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    peer.text(r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"ada\"}"}}"#).await;
    peer.expect_subscribe("#server-to-user-ada").await;
    peer.confirm("#server-to-user-ada").await;
    peer.publish("#server-to-user-ada", "n", "x").await;
    assert_eq!(texts(&mut all).await, ["#server-to-user-ada n x"]);
}

#[tokio::test(start_paused = true)]
async fn a_binding_that_is_not_read_lags_and_blocks_nothing() {
    let net = Net::new();
    let client = net.client().queue_size(2).connect().unwrap();
    let (mut peer, [mut a, _b]) = two_channels(&net, &client).await;
    let mut slow = client.bind("n").await.unwrap();
    for data in ["1", "2", "3", "4"] {
        peer.publish("a", "n", data).await;
        assert!(matches!(next(&mut a).await, ChannelEvent::Event(_)));
    }
    assert_eq!(texts(&mut slow).await, ["a n 1", "a n 2", "Lagged(2)"]);
}

#[tokio::test(start_paused = true)]
async fn a_binding_keeps_neither_channel_nor_client_alive() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let (mut peer, [a, b]) = two_channels(&net, &client).await;
    let mut bound = a.bind("n").await.unwrap();
    drop(a);
    peer.expect_unsubscribe("a").await;
    drop((b, client));
    assert_eq!(bound.next().await, None);
}
