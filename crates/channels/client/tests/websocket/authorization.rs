use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelEvent, ErrorKind,
    Signer, SigningAuthorizer,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::scripted_server::{Net, name, next, socket_id};

fn signer() -> Signer {
    Signer::new("app-key", "secret")
}

fn signed(number: u32, channel: &str) -> String {
    signer().authorize_channel(&socket_id(number), &name(channel), None).unwrap().auth
}

/// Answers with the given errors in turn, then signs.
struct Failing {
    errors: Vec<AuthorizationError>,
    calls: AtomicUsize,
}

impl Failing {
    fn new(errors: impl IntoIterator<Item = AuthorizationError>) -> Arc<Self> {
        Arc::new(Self { errors: errors.into_iter().collect(), calls: AtomicUsize::new(0) })
    }
}

#[async_trait::async_trait]
impl Authorizer for Failing {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.errors.get(calls) {
            Some(error) => Err(error.clone()),
            None => SigningAuthorizer::new(signer()).authorize(request).await,
        }
    }
}

/// Signs as soon as the semaphore has a permit.
struct Gated(Semaphore);

#[async_trait::async_trait]
impl Authorizer for Gated {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        self.0.acquire().await.unwrap().forget();
        SigningAuthorizer::new(signer()).authorize(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn each_connection_gets_its_own_authorization() {
    let net = Net::new();
    let client = net.client().authorizer(Arc::new(SigningAuthorizer::new(signer()))).connect().unwrap();
    let mut ada = client.subscribe("private-ada").await.unwrap();
    for number in [1, 2] {
        let mut peer = net.establish(number).await;
        assert_eq!(peer.expect_subscribe("private-ada").await, signed(number, "private-ada"));
        peer.confirm("private-ada").await;
        assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
        peer.close(4200).await;
        assert_eq!(next(&mut ada).await, ChannelEvent::Interrupted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_for_an_ended_connection_is_ignored() {
    let net = Net::new();
    let gate = Arc::new(Gated(Semaphore::new(0)));
    let client = net.client().authorizer(gate.clone()).connect().unwrap();
    let mut ada = client.subscribe("private-ada").await.unwrap();
    let mut peer = net.establish(1).await;
    peer.expect_nothing().await;
    peer.close(4200).await;
    let mut peer = net.establish(2).await;
    peer.expect_nothing().await;
    gate.0.add_permits(2);
    assert_eq!(peer.expect_subscribe("private-ada").await, signed(2, "private-ada"));
    peer.expect_nothing().await;
    peer.confirm("private-ada").await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn a_slow_authorizer_blocks_nothing_else() {
    let net = Net::new();
    let gate = Arc::new(Gated(Semaphore::new(0)));
    let client = net.client().authorizer(gate).connect().unwrap();
    let _ada = client.subscribe("private-ada").await.unwrap();
    let mut news = client.subscribe("news").await.unwrap();
    let mut peer = net.establish(1).await;
    let start = Instant::now();
    peer.expect_subscribe("news").await;
    peer.confirm("news").await;
    assert_eq!(next(&mut news).await, ChannelEvent::Subscribed);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_of_the_authorizer_ends_the_subscription() {
    for (error, kind) in [
        (AuthorizationError::forbidden("not yours"), ErrorKind::Forbidden),
        (AuthorizationError::unauthorized("not yours"), ErrorKind::Unauthorized),
        (AuthorizationError::permanent("not yours"), ErrorKind::Refused),
    ] {
        let net = Net::new();
        let authorizer = Failing::new([error]);
        let client = net.client().authorizer(authorizer.clone()).connect().unwrap();
        let mut ada = client.subscribe("private-ada").await.unwrap();
        let mut peer = net.establish(1).await;
        let ChannelEvent::Refused(error) = next(&mut ada).await else { panic!() };
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, "not yours"));
        assert!(ada.next().await.is_none());
        peer.expect_nothing().await;
        peer.close(4200).await;
        net.establish(2).await.expect_nothing().await;
        assert_eq!(authorizer.calls.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_retryable_error_the_authorizer_is_called_again_with_backoff() {
    let net = Net::new();
    let busy = AuthorizationError::retryable("busy");
    let authorizer = Failing::new(vec![busy; 5]);
    let client = net.client().authorizer(authorizer.clone()).connect().unwrap();
    let mut errors = client.errors();
    let mut ada = client.subscribe("private-ada").await.unwrap();
    let mut peer = net.establish(1).await;
    let start = Instant::now();
    assert_eq!(peer.expect_subscribe("private-ada").await, signed(1, "private-ada"));
    assert!(start.elapsed() > Duration::ZERO);
    assert_eq!(authorizer.calls.load(Ordering::SeqCst), 6);
    let error = errors.next().await.unwrap();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "busy");
    peer.confirm("private-ada").await;
    assert_eq!(next(&mut ada).await, ChannelEvent::Subscribed);
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_never_answers_is_called_again() {
    struct Hanging(AtomicUsize);
    #[async_trait::async_trait]
    impl Authorizer for Hanging {
        async fn authorize(
            &self,
            request: &AuthorizationRequest,
        ) -> Result<ChannelAuthorization, AuthorizationError> {
            if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                std::future::pending::<()>().await;
            }
            SigningAuthorizer::new(signer()).authorize(request).await
        }
    }
    let net = Net::new();
    let client = net.client().authorizer(Arc::new(Hanging(AtomicUsize::new(0)))).connect().unwrap();
    let _ada = client.subscribe("private-ada").await.unwrap();
    let mut peer = net.establish(1).await;
    let start = Instant::now();
    peer.expect_subscribe("private-ada").await;
    assert!(start.elapsed() >= Duration::from_secs(30));
}

struct Panicking;

#[async_trait::async_trait]
impl Authorizer for Panicking {
    async fn authorize(
        &self,
        _request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        panic!("a bug of the application")
    }
}

/// Panics before it returns a future.
struct Hasty;

impl Authorizer for Hasty {
    fn authorize<'a, 'b, 'c>(
        &'a self,
        _request: &'b AuthorizationRequest,
    ) -> Pin<Box<dyn Future<Output = Result<ChannelAuthorization, AuthorizationError>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        panic!("a bug of the application")
    }
}

#[cfg(feature = "http")]
impl pusher_client::FieldProvider for Hasty {
    fn fields<'a, 'b>(
        &'a self,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<(String, String)>, AuthorizationError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        panic!("a bug of the application")
    }
}

async fn expect_that_only_the_subscription_ends(authorizer: Arc<dyn Authorizer>) {
    let net = Net::new();
    let client = net.client().authorizer(authorizer).connect().unwrap();
    let mut ada = client.subscribe("private-ada").await.unwrap();
    let mut peer = net.establish(1).await;
    assert!(matches!(next(&mut ada).await, ChannelEvent::Refused(_)));
    peer.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_authorizer_ends_only_the_subscription() {
    expect_that_only_the_subscription_ends(Arc::new(Panicking)).await;
    expect_that_only_the_subscription_ends(Arc::new(Hasty)).await;
}

#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn a_panic_of_a_token_provider_ends_only_the_subscription() {
    let builder =
        pusher_client::HttpAuthorizer::builder("http://127.0.0.1:9/").param_provider(Arc::new(Hasty));
    expect_that_only_the_subscription_ends(Arc::new(builder.build().unwrap())).await;
}
