use std::future::pending;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use internal_notifications_mock::{MockHub, MockService};
use internal_notifications_service::{
    Credentials, Identity, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status,
};

use super::{kind, note, now, shown};

/// The signed-in user. While nobody is signed in, the identity does not answer.
#[derive(Clone, Default)]
struct SignedIn(Arc<Mutex<Option<&'static str>>>);

impl SignedIn {
    fn set(&self, user: &'static str) {
        *self.0.lock().unwrap() = Some(user);
    }
}

#[async_trait]
impl Identity for SignedIn {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        let user = *self.0.lock().unwrap();
        match user {
            Some("nobody") => Err(ServiceError::new(ServiceErrorKind::Unauthorized, "nobody is signed in")),
            Some(user) => Credentials::new(user.parse().unwrap(), "token"),
            None => pending().await,
        }
    }
}

fn service(hub: &MockHub, signed_in: &SignedIn) -> MockService {
    MockService::builder().hub(hub.clone()).identity(signed_in.clone()).build()
}

#[test]
fn each_init_asks_the_identity_for_the_user() {
    let (hub, signed_in) = (MockHub::new(), SignedIn::default());
    hub.push_as_backend("shop", ["ada"], note("hers")).unwrap();
    hub.push_as_backend("shop", ["bob"], note("his")).unwrap();
    let device = service(&hub, &signed_in);
    signed_in.set("ada");
    now(device.init()).unwrap();
    signed_in.set("bob");
    now(device.init()).unwrap();
    assert_eq!(shown(&device), ["hers"], "the inbox is ada's until dispose");
    now(device.dispose());
    now(device.init()).unwrap();
    assert_eq!(shown(&device), ["his"]);
}

#[test]
fn an_error_of_the_identity_fails_init() {
    let signed_in = SignedIn::default();
    signed_in.set("nobody");
    let device = service(&MockHub::new(), &signed_in);
    assert_eq!(kind(now(device.init())), ServiceErrorKind::Unauthorized);
    assert_eq!(device.snapshot(), Snapshot::default());
}

#[tokio::test]
async fn dispose_cancels_an_identity_that_does_not_answer() {
    let signed_in = SignedIn::default();
    let device = service(&MockHub::new(), &signed_in);
    let starting = tokio::spawn({
        let device = device.clone();
        async move { device.init().await }
    });
    tokio::task::yield_now().await;
    device.dispose().await;
    assert_eq!(kind(starting.await.unwrap()), ServiceErrorKind::NotInitialized);
    signed_in.set("ada");
    device.init().await.unwrap();
    assert_eq!(device.snapshot().status, Status::Live);
}

#[test]
fn the_init_error_of_a_service_without_a_user_names_the_settings() {
    let error = now(MockService::builder().build().init()).unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Configuration);
    assert!(error.to_string().contains("`user`") && error.to_string().contains("`identity`"), "{error}");
}
