use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn the_connections_of_a_signed_in_user_are_closed_with_4009_and_no_others() {
    let broker = broker();
    let (mut phone, mut laptop, mut bob) =
        (connect(&broker).await, connect(&broker).await, connect(&broker).await);
    phone.sign_in("ada").await;
    laptop.sign_in("ada").await;
    bob.join("presence-room", "ada").await;
    let path = "/apps/3/users/ada/terminate_connections";
    assert_eq!(post(&broker, path, "{}").await, (200.try_into().unwrap(), "{}".to_owned()));
    let error_event = phone.next().await;
    assert_eq!(error_event["data"], json!({"code": 4009, "message": "You got disconnected by the app"}));
    assert_eq!((phone.close_code().await, laptop.close_code().await), (4009, 4009));
    bob.got_nothing().await;
    assert_eq!(post(&broker, path, "{}").await.0, 200, "a user without connections is fine");
    let mut again = connect(&broker).await;
    again.sign_in("ada").await;
}

#[tokio::test]
async fn terminating_connections_needs_a_signature_and_a_valid_user_id() {
    let broker = broker();
    let mut ada = connect(&broker).await;
    ada.sign_in("ada").await;
    let path = "/apps/3/users/ada/terminate_connections";
    assert_eq!(post_as_is(&broker, path, "{}").await.0, 401);
    assert_eq!(post(&broker, "/apps/4/users/ada/terminate_connections", "{}").await.0, 404);
    assert_eq!(post(&broker, "/apps/3/users/a%20b/terminate_connections", "{}").await.0, 400);
    ada.got_nothing().await;
}

#[tokio::test]
async fn the_subscribers_of_a_channel_are_closed_with_4009() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    ada.subscribe("private-ada").await;
    bob.subscribe("private-bob").await;
    assert_eq!(broker.terminate_subscribers(&"private-ada".parse().unwrap()), 1);
    assert_eq!(ada.close_code().await, 4009);
    bob.got_nothing().await;
}

#[tokio::test]
async fn terminating_revokes_authorizations_that_were_recorded_before() {
    let broker = broker();
    let (mut ada, mut other) = (connect(&broker).await, connect(&broker).await);
    let [own, news, user] = ["private-ada", "private-news", "#server-to-user-ada"];
    let authorize = |client: &Client, channel: &str| {
        broker.record_authorization(&client.id, &channel.parse().unwrap(), None)
    };
    for channel in [own, news, user] {
        authorize(&ada, channel);
    }
    assert_eq!(broker.terminate_subscribers(&own.parse().unwrap()), 0);
    assert_eq!(broker.terminate_connections("ada"), 0);
    let revoked = "the authorization was revoked: authorize again";
    let message = format!("Cannot subscribe to {own}: {revoked}");
    let auth = ada.auth(own);
    assert_eq!(ada.try_subscribe(own, &auth).await, error(&message, Some(own)));
    let message = format!("Cannot sign in: {revoked}");
    assert_eq!(ada.try_sign_in(r#"{"id":"ada"}"#).await, error(&message, None));
    // Other channels, other connections and later authorizations are not affected.
    ada.subscribe(news).await;
    other.subscribe(own).await;
    authorize(&ada, own);
    authorize(&ada, user);
    ada.subscribe(own).await;
    ada.sign_in("ada").await;
}
