use std::sync::Arc;

use futures_util::StreamExt;
use pusher_client::{ChannelEvent, Signer, SigningAuthorizer};
use tokio_tungstenite::tungstenite::Message;

use crate::scripted_server::{Net, next, next_data, state};

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_the_connection_and_ends_the_task() {
    let net = Net::new();
    let authorizer = Arc::new(SigningAuthorizer::new(Signer::new("app-key", "secret")));
    let client = net.client().authorizer(authorizer.clone()).connect().unwrap();
    let mut states = client.states();
    let mut peer = net.establish(1).await;
    client.connected().await.unwrap();
    drop(client.clone());
    peer.expect_nothing().await;

    drop(client);
    assert!(
        matches!(peer.message().await, Some(Message::Close(Some(frame))) if u16::from(frame.code) == 1000)
    );
    assert_eq!(peer.message().await, None);
    while states.next().await.is_some() {}
    assert_eq!(Arc::strong_count(&authorizer), 1, "the task still holds it");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_keeps_the_client_alive() {
    let net = Net::new();
    let client = net.client().connect().unwrap();
    let mut states = client.states();
    let mut news = client.subscribe("news").await.unwrap();
    drop(client);
    let mut peer = net.establish(1).await;
    peer.expect_subscribe("news").await;
    peer.confirm("news").await;
    peer.publish("news", "n", "x").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(next_data(&mut news).await, "x");

    drop(news);
    while states.next().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_without_a_connection_too() {
    let net = Net::new();
    for connected in [false, true] {
        let client = match connected {
            false => net.client().build().unwrap(),
            true => net.client().connect().unwrap(),
        };
        if connected {
            drop(net.accept_raw().await);
            state(&client, |state| matches!(state, pusher_client::ConnectionState::Reconnecting { .. }))
                .await;
        }
        let mut states = client.states();
        drop(client);
        while states.next().await.is_some() {}
    }
}
