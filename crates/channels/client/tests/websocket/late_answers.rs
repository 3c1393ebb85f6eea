//! Tests answers that arrive when a later call has replaced their own.

use std::sync::Arc;
use std::time::Duration;

use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelEvent,
    EncryptionMasterKey, Signer, UserAuthentication, UserAuthenticationRequest, UserAuthenticator, UserEvent,
};
use pusher_signer::encrypted::SharedSecret;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::scripted_server::{Net, Peer, name, next, next_data, socket_id};

/// Passes each call to the test, which answers it later.
struct Deferred<T>(mpsc::Sender<PendingCall<T>>);

type PendingCall<T> = oneshot::Sender<Result<T, AuthorizationError>>;

fn deferred<T>() -> (Arc<Deferred<T>>, mpsc::Receiver<PendingCall<T>>) {
    let (sender, calls) = mpsc::channel(16);
    (Arc::new(Deferred(sender)), calls)
}

impl<T> Deferred<T> {
    async fn wait(&self) -> Result<T, AuthorizationError> {
        let (call, answer) = oneshot::channel();
        self.0.send(call).await.unwrap();
        answer.await.unwrap()
    }
}

#[async_trait::async_trait]
impl Authorizer for Deferred<ChannelAuthorization> {
    async fn authorize(
        &self,
        _request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        self.wait().await
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for Deferred<UserAuthentication> {
    async fn authenticate(
        &self,
        _request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        self.wait().await
    }
}

fn authorization(auth: &str) -> ChannelAuthorization {
    ChannelAuthorization::new(auth)
}

fn forbidden<T>() -> Result<T, AuthorizationError> {
    Err(AuthorizationError::forbidden("no"))
}

fn user(id: &str) -> Result<UserAuthentication, AuthorizationError> {
    let data = serde_json::json!({ "id": id }).to_string();
    Ok(Signer::new("app-key", "secret").authenticate_user(&socket_id(1), &data).unwrap())
}

async fn expect_sign_in(peer: &mut Peer, id: &str) {
    let (event, data) = peer.read().await;
    let user = serde_json::json!({ "id": id }).to_string();
    assert_eq!((event.as_str(), data["user_data"].as_str()), ("pusher:signin", Some(user.as_str())));
}

async fn confirm_sign_in(peer: &mut Peer, id: &str) {
    let data = serde_json::json!({ "id": id }).to_string();
    let frame = serde_json::json!({ "event": "pusher:signin_success", "data": { "user_data": data } });
    peer.text(&frame.to_string()).await;
}

#[tokio::test(start_paused = true)]
async fn an_authorization_is_not_used_for_a_later_subscription() {
    let (authorizer, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().authorizer(authorizer).connect().unwrap();
    let _unsubscribed = client.subscribe("private-ada").await.unwrap();
    let mut peer = net.establish(1).await;
    let first = calls.recv().await.unwrap();
    client.unsubscribe("private-ada").await.unwrap();
    let mut ada = client.subscribe("private-ada").await.unwrap();
    let second = calls.recv().await.unwrap();

    first.send(forbidden()).unwrap();
    peer.expect_nothing().await;
    second.send(Ok(authorization("k:second"))).unwrap();
    assert_eq!(peer.expect_subscribe("private-ada").await, "k:second");
    peer.confirm("private-ada").await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn an_authorization_that_waited_for_the_user_is_not_used_for_a_later_subscription() {
    let (authorizer, mut calls) = deferred();
    let (authenticator, mut users) = deferred();
    let net = Net::new();
    let client = net.client().authorizer(authorizer).user_authenticator(authenticator).connect().unwrap();
    let _user = client.sign_in().await.unwrap();
    let _unsubscribed = client.subscribe("presence-room").await.unwrap();
    let mut peer = net.establish(1).await;
    calls.recv().await.unwrap().send(Ok(authorization("k:first"))).unwrap();
    peer.expect_nothing().await;
    client.unsubscribe("presence-room").await.unwrap();
    let _room = client.subscribe("presence-room").await.unwrap();
    calls.recv().await.unwrap().send(Ok(authorization("k:second"))).unwrap();
    peer.expect_nothing().await;

    users.recv().await.unwrap().send(user("ada")).unwrap();
    expect_sign_in(&mut peer, "ada").await;
    confirm_sign_in(&mut peer, "ada").await;
    peer.expect_subscribe("#server-to-user-ada").await;
    assert_eq!(peer.expect_subscribe("presence-room").await, "k:second");
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_used_for_a_later_subscription() {
    const CHANNEL: &str = "private-encrypted-ada";
    let master = |number: u8| EncryptionMasterKey::new([number; 32]);
    let key = |number: u8| {
        let signer = Signer::new("app-key", "secret").with_encryption_master_key(master(number));
        Ok(signer.authorize_channel(&socket_id(1), &name(CHANNEL), None).unwrap())
    };
    let sealed = |number: u8| SharedSecret::derive(&name(CHANNEL), &master(number)).seal([9; 24], "opened");
    let (authorizer, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().authorizer(authorizer).connect().unwrap();
    let mut peer = net.establish(1).await;
    let mut renewals = Vec::new();
    let mut subscription = None;
    for _ in 0..2 {
        let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
        calls.recv().await.unwrap().send(key(1)).unwrap();
        peer.expect_subscribe(CHANNEL).await;
        peer.confirm(CHANNEL).await;
        assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
        peer.publish(CHANNEL, "n", &sealed(2)).await;
        renewals.push(calls.recv().await.unwrap());
        if renewals.len() == 1 {
            client.unsubscribe(&name(CHANNEL)).await.unwrap();
            peer.expect_unsubscribe(CHANNEL).await;
        }
        subscription = Some(ada);
    }
    let mut renewals = renewals.into_iter();
    renewals.next().unwrap().send(forbidden()).unwrap();
    peer.expect_nothing().await;
    renewals.next().unwrap().send(key(2)).unwrap();
    assert_eq!(next_data(subscription.as_mut().unwrap()).await, "opened");
}

#[tokio::test(start_paused = true)]
async fn an_authentication_is_not_used_for_a_later_sign_in() {
    let (authenticator, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().user_authenticator(authenticator).connect().unwrap();
    let abandoned = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    let first = calls.recv().await.unwrap();
    drop(abandoned);
    let _eve = client.sign_in().await.unwrap();
    let second = calls.recv().await.unwrap();
    first.send(user("ada")).unwrap();
    peer.expect_nothing().await;
    second.send(user("eve")).unwrap();
    expect_sign_in(&mut peer, "eve").await;
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_right_after_the_last_handle_authenticates_anew() {
    let (authenticator, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().user_authenticator(authenticator).connect().unwrap();
    let ada = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    calls.recv().await.unwrap().send(user("ada")).unwrap();
    expect_sign_in(&mut peer, "ada").await;
    confirm_sign_in(&mut peer, "ada").await;
    peer.expect_subscribe("#server-to-user-ada").await;
    peer.confirm("#server-to-user-ada").await;
    peer.expect_nothing().await;
    drop(ada);
    let _eve = client.sign_in().await.unwrap();
    peer.expect_unsubscribe("#server-to-user-ada").await;
    calls.recv().await.unwrap().send(user("eve")).unwrap();
    expect_sign_in(&mut peer, "eve").await;
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_for_another_user_is_ignored() {
    let (authenticator, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().user_authenticator(authenticator).connect().unwrap();
    let mut handle = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    calls.recv().await.unwrap().send(user("ada")).unwrap();
    expect_sign_in(&mut peer, "ada").await;
    let start = Instant::now();
    calls.recv().await.unwrap().send(user("eve")).unwrap();
    assert!(start.elapsed().as_secs() >= 10, "the client did not wait for the confirmation");
    expect_sign_in(&mut peer, "eve").await;

    confirm_sign_in(&mut peer, "ada").await;
    peer.expect_nothing().await;
    confirm_sign_in(&mut peer, "eve").await;
    peer.expect_subscribe("#server-to-user-eve").await;
    peer.confirm("#server-to-user-eve").await;
    let event = tokio::time::timeout(crate::scripted_server::LONG, handle.next()).await.unwrap();
    assert!(matches!(event, Some(UserEvent::SignedIn(user)) if user.id == "eve"));
}

#[tokio::test(start_paused = true)]
async fn a_late_confirmation_counts_while_the_sign_in_waits_for_a_retry() {
    let (authenticator, mut calls) = deferred();
    let net = Net::new();
    let client = net.client().user_authenticator(authenticator).connect().unwrap();
    let _user = client.sign_in().await.unwrap();
    let mut peer = net.establish(1).await;
    calls.recv().await.unwrap().send(user("ada")).unwrap();
    expect_sign_in(&mut peer, "ada").await;
    tokio::time::advance(Duration::from_secs(10)).await;
    peer.expect_nothing().await;
    confirm_sign_in(&mut peer, "ada").await;
    peer.expect_subscribe("#server-to-user-ada").await;
}
