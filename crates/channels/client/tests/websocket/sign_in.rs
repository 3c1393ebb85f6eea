use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pusher_client::{
    AuthorizationError, Client, ErrorKind, Signer, User, UserAuthentication, UserAuthenticationRequest,
    UserAuthenticator, UserEvent,
};
use serde_json::json;
use tokio::time::Instant;

use crate::scripted_server::{LONG, Net, Peer, ada, name, socket_id};

const CHANNEL: &str = "#server-to-user-ada";

async fn next(user: &mut User) -> UserEvent {
    tokio::time::timeout(LONG, user.next())
        .await
        .expect("there was no event in time")
        .expect("the stream ended")
}

fn client(net: &Net) -> Client {
    net.client().user_authenticator(ada()).connect().unwrap()
}

/// Expects the sign-in of the connection with this number, and confirms it.
async fn accept_sign_in(peer: &mut Peer, number: u32) {
    let (event, data) = peer.read().await;
    let signer = Signer::new("app-key", "secret");
    let expected = signer.authenticate_user(&socket_id(number), r#"{"id":"ada"}"#).unwrap();
    assert_eq!(event, "pusher:signin");
    assert_eq!(data, json!({ "auth": expected.auth, "user_data": r#"{"id":"ada"}"# }));
    peer.text(r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"ada\"}"}}"#).await;
    assert_eq!(peer.expect_subscribe(CHANNEL).await, "");
    peer.confirm(CHANNEL).await;
}

async fn expect_signed_in(user: &mut User) {
    let UserEvent::SignedIn(data) = next(user).await else { panic!() };
    assert_eq!((data.id.as_str(), data.text.as_str()), ("ada", r#"{"id":"ada"}"#));
}

/// Returns a client that is signed in on its first connection.
async fn signed_in(net: &Net) -> (Client, User, Peer) {
    let client = client(net);
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    accept_sign_in(&mut peer, 1).await;
    expect_signed_in(&mut user).await;
    (client, user, peer)
}

#[tokio::test(start_paused = true)]
async fn events_sent_to_the_user_arrive_once_signed_in() {
    let net = Net::new();
    let (_client, mut user, mut peer) = signed_in(&net).await;
    peer.publish("#server-to-user-eve", "n", "of another").await;
    peer.publish(CHANNEL, "pusher:n", "of the protocol").await;
    peer.publish(CHANNEL, "n", "x").await;
    let UserEvent::Event(event) = next(&mut user).await else { panic!() };
    assert_eq!((event.name(), event.data(), event.channel().as_str()), ("n", "x", CHANNEL));
}

#[tokio::test(start_paused = true)]
async fn each_connection_signs_in_again() {
    let net = Net::new();
    let client = client(&net);
    let mut user = client.sign_in().await.unwrap();
    for number in [1, 2] {
        let mut peer = net.establish(number).await;
        accept_sign_in(&mut peer, number).await;
        expect_signed_in(&mut user).await;
        peer.close(4200).await;
        assert_eq!(next(&mut user).await, UserEvent::Interrupted);
    }
}

#[tokio::test(start_paused = true)]
async fn watchlist_changes_are_reported() {
    let net = Net::new();
    let (_client, mut user, mut peer) = signed_in(&net).await;
    let changes = json!({ "events": [
        { "name": "online", "user_ids": ["bob", "eve"] },
        { "name": "unknown", "user_ids": ["bob"] },
        { "name": "offline", "user_ids": ["bob"] },
    ]});
    let frame = json!({ "event": "pusher_internal:watchlist_events", "data": changes.to_string() });
    peer.text(&frame.to_string()).await;
    assert_eq!(next(&mut user).await, UserEvent::Online(vec!["bob".into(), "eve".into()]));
    assert_eq!(next(&mut user).await, UserEvent::Offline(vec!["bob".into()]));
}

#[tokio::test(start_paused = true)]
async fn who_is_online_is_reported_after_the_sign_in() {
    let net = Net::new();
    let client = client(&net);
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    peer.text(r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"ada\"}"}}"#).await;
    let changes = json!({ "events": [{ "name": "online", "user_ids": ["bob"] }] });
    let frame = json!({ "event": "pusher_internal:watchlist_events", "data": changes.to_string() });
    peer.text(&frame.to_string()).await;
    peer.expect_subscribe(CHANNEL).await;
    peer.confirm(CHANNEL).await;
    expect_signed_in(&mut user).await;
    assert_eq!(next(&mut user).await, UserEvent::Online(vec!["bob".into()]));
}

#[tokio::test(start_paused = true)]
async fn several_handles_share_one_sign_in_and_the_last_unsubscribes() {
    let net = Net::new();
    let (client, first, mut peer) = signed_in(&net).await;
    let mut second = client.sign_in().await.unwrap();
    expect_signed_in(&mut second).await;
    drop(first);
    peer.expect_nothing().await;
    drop(second);
    peer.expect_unsubscribe(CHANNEL).await;

    // A new handle calls the authenticator again, since the user may have changed.
    let mut third = client.sign_in().await.unwrap();
    accept_sign_in(&mut peer, 1).await;
    expect_signed_in(&mut third).await;
    drop(third);
    peer.expect_unsubscribe(CHANNEL).await;
    peer.close(4200).await;
    net.establish(2).await.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_handle_dropped_before_the_confirmations_is_unsubscribed_after_them() {
    let net = Net::new();
    let client = client(&net);
    let user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    peer.text(r#"{"event":"pusher:signin_success","data":{"user_data":"{\"id\":\"ada\"}"}}"#).await;
    peer.expect_subscribe(CHANNEL).await;
    drop(user);
    peer.expect_nothing().await;
    peer.confirm(CHANNEL).await;
    peer.expect_unsubscribe(CHANNEL).await;
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_watchlist_that_is_too_long_is_an_error_but_ends_nothing() {
    let net = Net::new();
    let client = client(&net);
    let mut errors = client.errors();
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    accept_sign_in(&mut peer, 1).await;
    expect_signed_in(&mut user).await;
    peer.refuse(Some(4302), "the first 100 are watched", None).await;
    assert_eq!(futures_util::StreamExt::next(&mut errors).await.unwrap().code(), Some(4302));
    drop(peer);
    assert_eq!(next(&mut user).await, UserEvent::Interrupted);
    accept_sign_in(&mut net.establish(2).await, 2).await;
}

/// Answers with the given errors in turn, then signs.
struct Failing(Vec<AuthorizationError>, AtomicUsize);

#[async_trait::async_trait]
impl UserAuthenticator for Failing {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        match self.0.get(self.1.fetch_add(1, Ordering::SeqCst)) {
            Some(error) => Err(error.clone()),
            None => ada().authenticate(request).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_of_the_authenticator_ends_the_sign_in() {
    let net = Net::new();
    let failing = Failing(vec![AuthorizationError::forbidden("not you")], AtomicUsize::new(0));
    let client = net.client().user_authenticator(Arc::new(failing)).connect().unwrap();
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    let UserEvent::Refused(error) = next(&mut user).await else { panic!() };
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Forbidden, "not you"));
    assert!(user.next().await.is_none());
    peer.expect_nothing().await;
    let mut again = client.sign_in().await.unwrap();
    accept_sign_in(&mut peer, 1).await;
    expect_signed_in(&mut again).await;
}

/// Panics before it returns a future.
struct Hasty;

impl UserAuthenticator for Hasty {
    fn authenticate<'a, 'b, 'c>(
        &'a self,
        _request: &'b UserAuthenticationRequest,
    ) -> Pin<Box<dyn Future<Output = Result<UserAuthentication, AuthorizationError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        panic!("a bug of the application")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_authenticator_ends_only_the_sign_in() {
    let net = Net::new();
    let client = net.client().user_authenticator(Arc::new(Hasty)).connect().unwrap();
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert!(matches!(next(&mut user).await, UserEvent::Refused(_)));
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_retryable_error_the_authenticator_is_called_again() {
    let net = Net::new();
    let failing = Arc::new(Failing(vec![AuthorizationError::retryable("busy"); 3], AtomicUsize::new(0)));
    let client = net.client().user_authenticator(failing.clone()).connect().unwrap();
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    accept_sign_in(&mut peer, 1).await;
    expect_signed_in(&mut user).await;
    assert_eq!(failing.1.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn an_error_without_a_confirmation_ends_the_sign_in() {
    let net = Net::new();
    let client = client(&net);
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    peer.refuse(None, "Invalid signature", None).await;
    let UserEvent::Refused(error) = next(&mut user).await else { panic!() };
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Refused, "Invalid signature"));
}

#[tokio::test(start_paused = true)]
async fn an_unconfirmed_sign_in_is_sent_again() {
    let net = Net::new();
    let client = client(&net);
    let mut user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    assert_eq!(peer.read().await.0, "pusher:signin");
    let start = Instant::now();
    accept_sign_in(&mut peer, 1).await;
    assert!(start.elapsed().as_secs() >= 10);
    expect_signed_in(&mut user).await;
}

#[tokio::test(start_paused = true)]
async fn a_permanent_close_after_the_sign_in_fails_the_client() {
    let net = Net::new();
    let (client, mut user, peer) = signed_in(&net).await;
    peer.close(4009).await;
    assert_eq!(next(&mut user).await, UserEvent::Interrupted);
    let UserEvent::Refused(error) = next(&mut user).await else { panic!() };
    assert_eq!(error.code(), Some(4009));
    assert_eq!(client.sign_in().await.unwrap_err().code(), Some(4009));
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_needs_an_authenticator_and_a_users_channel_needs_a_sign_in() {
    let net = Net::new();
    let bare = net.client().build().unwrap();
    assert_eq!(bare.sign_in().await.unwrap_err().kind(), ErrorKind::Configuration);
    assert_eq!(bare.subscribe(name(CHANNEL)).await.unwrap_err().kind(), ErrorKind::Unsupported);
}
