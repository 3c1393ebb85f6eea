use std::sync::Arc;

use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelEvent, Subscription,
    UserAuthentication, UserAuthenticationRequest, UserAuthenticator,
};
use serde_json::json;

use crate::scripted_server::{Net, Peer, ada, next};

async fn joined(net: &Net) -> (Subscription, Peer) {
    let client = net.client().authorizer(ada()).connect().unwrap();
    let (mut room, mut peer) = net.requested(&client, "presence-room").await;
    peer.confirm_presence("presence-room", json!({ "ada": null, "bob": { "n": 1 } })).await;
    assert_eq!(next(&mut room).await, ChannelEvent::Subscribed);
    (room, peer)
}

fn ids(room: &Subscription) -> Vec<String> {
    room.members().iter().map(|member| member.id().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_subscription_contains_the_signed_data() {
    let net = Net::new();
    let client = net.client().authorizer(ada()).connect().unwrap();
    let _room = client.subscribe("presence-room").await.unwrap();
    let (event, data) = net.establish(1).await.read().await;
    assert_eq!((event.as_str(), &data["channel_data"]), ("pusher:subscribe", &json!(r#"{"user_id":"ada"}"#)));
}

#[tokio::test(start_paused = true)]
async fn members_with_their_info_are_known_once_subscribed() {
    let (room, _peer) = joined(&Net::new()).await;
    let members = room.members();
    assert_eq!((members.count(), ids(&room)), (2, vec!["ada".to_owned(), "bob".to_owned()]));
    assert_eq!(members.me().map(pusher_client::Member::id), Some("ada"));
    let bob = members.get("bob").unwrap();
    assert_eq!(bob.info(), r#"{"n":1}"#);
    assert_eq!(bob.info_as::<serde_json::Value>().unwrap(), json!({ "n": 1 }));
    assert!(bob.info_as::<String>().is_err());
    assert_eq!(members.get("ada").unwrap().info(), "null");
}

#[tokio::test(start_paused = true)]
async fn joining_and_leaving_members_are_reported_once_and_counted() {
    let (mut room, mut peer) = joined(&Net::new()).await;
    let eve = json!({ "user_id": "eve", "user_info": { "n": 2 } });
    for _ in 0..2 {
        peer.frame("pusher_internal:member_added", "presence-room", &eve).await;
    }
    for id in ["bob", "bob", "nobody"] {
        peer.frame("pusher_internal:member_removed", "presence-room", &json!({ "user_id": id })).await;
    }
    peer.publish("presence-room", "n", "x").await;

    let ChannelEvent::MemberAdded(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), member.info()), ("eve", r#"{"n":2}"#));
    let ChannelEvent::MemberRemoved(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), member.info()), ("bob", r#"{"n":1}"#));
    assert!(matches!(next(&mut room).await, ChannelEvent::Event(_)));
    assert_eq!(ids(&room), ["ada", "eve"]);
}

#[tokio::test(start_paused = true)]
async fn members_are_empty_while_not_subscribed_and_current_afterwards() {
    let net = Net::new();
    let (mut room, peer) = joined(&net).await;
    drop(peer);
    assert_eq!(next(&mut room).await, ChannelEvent::Interrupted);
    assert_eq!(room.members().count(), 0);
    let mut peer = net.establish(2).await;
    peer.expect_subscribe("presence-room").await;
    peer.confirm_presence("presence-room", json!({ "ada": null, "eve": null })).await;
    assert_eq!(next(&mut room).await, ChannelEvent::Subscribed);
    assert_eq!(ids(&room), ["ada", "eve"]);
}

#[tokio::test(start_paused = true)]
async fn the_sender_of_a_client_event_is_known_if_the_server_names_it() {
    let (mut room, mut peer) = joined(&Net::new()).await;
    peer.text(r#"{"event":"client-n","channel":"presence-room","data":"x","user_id":"bob"}"#).await;
    let ChannelEvent::Event(event) = next(&mut room).await else { panic!() };
    let members = room.members();
    assert_eq!(event.user_id().and_then(|id| members.get(id)).unwrap().info(), r#"{"n":1}"#);
}

/// Authorizes presence channels without naming the user, as an app may do for signed-in users.
struct Nameless;

#[async_trait::async_trait]
impl Authorizer for Nameless {
    async fn authorize(
        &self,
        _request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        Ok(ChannelAuthorization::new("k:s"))
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_without_a_user_waits_for_the_sign_in() {
    let net = Net::new();
    let builder = net.client().authorizer(Arc::new(Nameless)).user_authenticator(ada());
    let client = builder.connect().unwrap();
    let _user = client.sign_in().await.unwrap();
    let mut room = client.subscribe("presence-room").await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    peer.expect_nothing().await;
    peer.text(r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"ada\"}"}}"#).await;
    peer.expect_subscribe("#server-to-user-ada").await;
    let (_, data) = peer.read().await;
    assert_eq!(data, json!({ "channel": "presence-room", "auth": "k:s" }));
    peer.confirm_presence("presence-room", json!({ "ada": { "from": "the sign-in" } })).await;
    assert_eq!(next(&mut room).await, ChannelEvent::Subscribed);
    assert_eq!(room.members().me().unwrap().id(), "ada");
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_sign_in_ends_the_subscriptions_that_wait_for_it() {
    struct Hanging;
    #[async_trait::async_trait]
    impl UserAuthenticator for Hanging {
        async fn authenticate(
            &self,
            _request: &UserAuthenticationRequest,
        ) -> Result<UserAuthentication, AuthorizationError> {
            std::future::pending().await
        }
    }
    let net = Net::new();
    let builder = net.client().authorizer(Arc::new(Nameless)).user_authenticator(Arc::new(Hanging));
    let client = builder.connect().unwrap();
    let user = client.sign_in().await.unwrap();
    let mut room = client.subscribe("presence-room").await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_nothing().await;
    drop(user);
    assert!(matches!(next(&mut room).await, ChannelEvent::Refused(_)));
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_authorization_without_a_user_ends_the_subscription_without_a_sign_in() {
    let net = Net::new();
    let client = net.client().authorizer(Arc::new(Nameless)).connect().unwrap();
    let mut room = client.subscribe("presence-room").await.unwrap();
    net.establish(1).await.expect_nothing().await;
    assert!(matches!(next(&mut room).await, ChannelEvent::Refused(_)));
}
