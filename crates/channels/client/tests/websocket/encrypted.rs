use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelEvent, ErrorKind,
    Subscription,
};
use pusher_signer::encrypted::SharedSecret;
use pusher_signer::{EncryptionMasterKey, Signer};
use tokio::sync::Semaphore;

use crate::scripted_server::{Net, Peer, name, next, next_data, socket_id};

const CHANNEL: &str = "private-encrypted-ada";

fn key(number: u8) -> EncryptionMasterKey {
    EncryptionMasterKey::new([number; 32])
}

fn sealed(number: u8, text: &str) -> String {
    SharedSecret::derive(&name(CHANNEL), &key(number)).seal([9; 24], text)
}

/// Authorizes with these keys in turn, and repeats the last one. Counts its calls, each of which
/// waits for a permit of `gate`.
struct Keys {
    keys: Mutex<VecDeque<Option<u8>>>,
    calls: Semaphore,
    gate: Semaphore,
}

impl Keys {
    fn new(keys: impl IntoIterator<Item = Option<u8>>) -> Arc<Self> {
        let keys = Mutex::new(keys.into_iter().collect());
        Arc::new(Self { keys, calls: Semaphore::new(0), gate: Semaphore::new(100) })
    }

    fn calls(&self) -> usize {
        self.calls.available_permits()
    }
}

#[async_trait::async_trait]
impl Authorizer for Keys {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        self.calls.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        let number = {
            let mut keys = self.keys.lock().unwrap();
            let number = keys.pop_front().flatten();
            if keys.is_empty() {
                keys.push_back(number);
            }
            number
        };
        let Some(number) = number else { return Err(AuthorizationError::forbidden("no more")) };
        let signer = Signer::new("app-key", "secret").with_encryption_master_key(key(number));
        Ok(signer.authorize_channel(&request.socket_id, &request.channel, None).unwrap())
    }
}

async fn subscribed(net: &Net, keys: &Arc<Keys>) -> (Subscription, Peer) {
    let client = net.client().authorizer(keys.clone()).queue_size(4).connect().unwrap();
    let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_subscribe(CHANNEL).await;
    peer.confirm(CHANNEL).await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
    (ada, peer)
}

async fn expect_failure(subscription: &mut Subscription, kind: ErrorKind) {
    let ChannelEvent::DecryptionFailed { event, reason } = next(subscription).await else { panic!() };
    assert_eq!((event.as_str(), reason.kind()), ("n", kind));
}

#[tokio::test(start_paused = true)]
async fn events_are_decrypted_and_the_secret_is_never_sent() {
    let keys = Keys::new([Some(1)]);
    let net = Net::new();
    let client = net.client().authorizer(keys.clone()).connect().unwrap();
    let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
    let mut peer = net.establish(1).await;
    let (_, data) = peer.read().await;
    let plain = Signer::new("app-key", "secret").with_encryption_master_key(key(7));
    let auth = plain.authorize_channel(&socket_id(1), &name(CHANNEL), None).unwrap().auth;
    assert_eq!(data, serde_json::json!({ "channel": CHANNEL, "auth": auth }));
    peer.confirm(CHANNEL).await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
    for (text, data) in
        [(r#"{"a":1}"#, r#"{"a":1}"#), ("plain", "plain"), (r#""as Node does""#, "as Node does")]
    {
        peer.publish(CHANNEL, "n", &sealed(1, text)).await;
        assert_eq!(next_data(&mut ada).await, data);
    }
    assert_eq!(keys.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_of_another_key_waits_for_a_new_authorization_and_no_event_overtakes_it() {
    let keys = Keys::new([Some(1), Some(2)]);
    let (mut ada, mut peer) = subscribed(&Net::new(), &keys).await;
    keys.gate.forget_permits(100);
    peer.publish(CHANNEL, "n", &sealed(2, "first")).await;
    peer.publish(CHANNEL, "n", &sealed(2, "second")).await;
    peer.expect_nothing().await;
    keys.gate.add_permits(1);
    assert_eq!(next_data(&mut ada).await, "first");
    assert_eq!(next_data(&mut ada).await, "second");
    assert_eq!(keys.calls(), 2);
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_new_key_does_not_decrypt_either_is_reported_without_a_second_request() {
    let keys = Keys::new([Some(1)]);
    let (mut ada, mut peer) = subscribed(&Net::new(), &keys).await;
    for _ in 0..3 {
        peer.publish(CHANNEL, "n", &sealed(3, "x")).await;
        expect_failure(&mut ada, ErrorKind::Decryption).await;
    }
    assert_eq!(keys.calls(), 2);
    peer.publish(CHANNEL, "n", &sealed(1, "still here")).await;
    assert_eq!(next_data(&mut ada).await, "still here");

    tokio::time::advance(Duration::from_secs(10)).await;
    peer.publish(CHANNEL, "n", &sealed(3, "x")).await;
    expect_failure(&mut ada, ErrorKind::Decryption).await;
    assert_eq!(keys.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn unencrypted_data_is_reported_without_a_request_for_a_key() {
    let keys = Keys::new([Some(1)]);
    let (mut ada, mut peer) = subscribed(&Net::new(), &keys).await;
    for data in ["plain", "{}", r#"{"nonce":"AAAA","ciphertext":"AAAA"}"#] {
        peer.publish(CHANNEL, "n", data).await;
        expect_failure(&mut ada, ErrorKind::Decryption).await;
    }
    assert_eq!(keys.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_new_key_the_waiting_events_are_lost_but_not_the_subscription() {
    let keys = Keys::new([Some(1), None, Some(1)]);
    let (mut ada, mut peer) = subscribed(&Net::new(), &keys).await;
    peer.publish(CHANNEL, "n", &sealed(2, "x")).await;
    expect_failure(&mut ada, ErrorKind::Forbidden).await;
    peer.publish(CHANNEL, "n", &sealed(1, "y")).await;
    assert_eq!(next_data(&mut ada).await, "y");
}

#[tokio::test(start_paused = true)]
async fn events_that_wait_for_a_key_are_limited_to_the_queue_size() {
    let keys = Keys::new([Some(1), Some(2)]);
    let (mut ada, mut peer) = subscribed(&Net::new(), &keys).await;
    keys.gate.forget_permits(100);
    for _ in 0..7 {
        peer.publish(CHANNEL, "n", &sealed(2, "x")).await;
    }
    assert_eq!(next(&mut ada).await, ChannelEvent::Lagged(3));
    keys.gate.add_permits(1);
    for _ in 0..4 {
        assert_eq!(next_data(&mut ada).await, "x");
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_without_a_shared_secret_ends_the_subscription() {
    struct Secretless;
    #[async_trait::async_trait]
    impl Authorizer for Secretless {
        async fn authorize(
            &self,
            _request: &AuthorizationRequest,
        ) -> Result<ChannelAuthorization, AuthorizationError> {
            Ok(ChannelAuthorization::new("k:s"))
        }
    }
    let net = Net::new();
    let client = net.client().authorizer(Arc::new(Secretless)).connect().unwrap();
    let mut ada = client.subscribe(name(CHANNEL)).await.unwrap();
    net.establish(1).await.expect_nothing().await;
    let ChannelEvent::Refused(error) = next(&mut ada).await else { panic!() };
    assert!(error.to_string().contains("shared_secret"), "{error}");
}
