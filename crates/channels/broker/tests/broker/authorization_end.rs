use std::time::Duration;

use tokio::time::Instant;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_with_4200_when_what_it_was_authorized_by_has_expired() {
    let broker = broker();
    for sign_in in [false, true] {
        let mut client = connect(&broker).await;
        let start = Instant::now();
        broker.authorize_for(&client.id, Duration::from_secs(60));
        // The soonest stands.
        broker.authorize_for(&client.id, Duration::from_secs(90));
        match sign_in {
            true => client.sign_in("ada").await,
            false => client.subscribe("private-ada").await,
        }
        assert_eq!(client.close_code().await, 4200);
        assert_eq!(start.elapsed().as_secs(), 60);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_used_ends_nothing() {
    let broker = broker();
    let mut client = connect(&broker).await;
    broker.authorize_for(&client.id, Duration::from_secs(60));
    broker.authorize_for(&"1.1".parse().unwrap(), Duration::MAX);
    client.subscribe("news").await;
    let start = Instant::now();
    assert_eq!(client.next().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 130);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_comes_after_the_end_is_the_last_one() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    broker.authorize_for(&client.id, Duration::from_secs(1));
    tokio::time::advance(Duration::from_secs(2)).await;
    client.subscribe("private-ada").await;
    assert_eq!(client.close_code().await, 4200);
}
