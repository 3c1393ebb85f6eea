//! Switching the user of an app: nothing of one user reaches the next.

use std::future::pending;
use std::sync::{Arc, Mutex};

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use internal_notifications::{
    Announcement, Credentials, Identity, InternalNotification, InternalNotifications, MockHub, OfflinePush,
    ServiceError, ServiceErrorKind, Snapshot, Status, async_trait,
};

use crate::support::builder;

/// The signed-in user. While nobody is signed in, the identity does not answer.
#[derive(Clone, Default)]
pub struct SignedIn(Arc<Mutex<Option<Credentials>>>);

impl SignedIn {
    pub fn set(&self, user: &str, token: &str) {
        *self.0.lock().unwrap() = Some(Credentials::new(user.parse().unwrap(), token).unwrap());
    }
}

#[async_trait]
impl Identity for SignedIn {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        let credentials = self.0.lock().unwrap().clone();
        match credentials {
            Some(credentials) => Ok(credentials),
            None => pending().await,
        }
    }
}

fn note(content: &str) -> InternalNotification {
    InternalNotification::new(content)
}

fn contents(now: &Snapshot) -> Vec<&str> {
    now.notifications.iter().map(|row| row.content.as_str()).collect()
}

/// Returns what is announced without waiting, and whether the stream has ended.
fn announced(announcements: &mut BoxStream<'static, Announcement>) -> (Vec<String>, bool) {
    let mut announced = Vec::new();
    loop {
        match announcements.next().now_or_never() {
            None => return (announced, false),
            Some(None) => return (announced, true),
            Some(Some(Announcement::Notification(row))) => announced.push(row.content.clone()),
            Some(Some(other)) => announced.push(format!("{other:?}")),
        }
    }
}

struct App {
    hub: MockHub,
    signed_in: SignedIn,
    inbox: InternalNotifications,
}

fn app() -> App {
    let (hub, signed_in) = (MockHub::new(), SignedIn::default());
    let inbox = builder().hub(hub.clone()).identity(signed_in.clone()).offline_push(OfflinePush::Wait);
    App { inbox: inbox.build().unwrap(), hub, signed_in }
}

impl App {
    fn push(&self, user: &str, content: &str) {
        self.hub.push_as_backend("shop", [user], note(content)).unwrap();
    }
}

#[tokio::test]
async fn nothing_of_one_user_reaches_the_next() {
    let app = app();
    app.push("ada", "old");
    app.signed_in.set("ada", "adas");
    app.inbox.init().await.unwrap();
    let (mut adas, mut snapshots) = (app.inbox.announcements(), app.inbox.snapshots());
    app.push("ada", "unread");
    assert_eq!(contents(&app.inbox.snapshot()), ["unread", "old"]);
    let waiting = tokio::spawn({
        let inbox = app.inbox.clone();
        async move { inbox.wait_for(|now| now.pending > 50).await }
    });
    tokio::task::yield_now().await;

    app.signed_in.set("bob", "bobs");
    app.inbox.init().await.unwrap();
    assert_eq!(contents(&app.inbox.snapshot()), ["unread", "old"], "the inbox is ada's until dispose");
    app.inbox.dispose().await;
    assert_eq!(app.inbox.snapshot(), Snapshot::default());
    let (mut bobs, mut his_snapshots) = (app.inbox.announcements(), app.inbox.snapshots());
    app.inbox.init().await.unwrap();
    assert_eq!(app.inbox.snapshot().notifications.len(), 0);

    // Ada's unread announcements are gone.
    assert_eq!(announced(&mut adas), (vec![], true));
    assert!(waiting.await.unwrap().is_none());
    while let Some(now) = snapshots.next().await {
        assert_eq!(contents(&now), Vec::<&str>::new());
    }
    app.push("ada", "hers");
    app.push("bob", "his");
    assert_eq!(announced(&mut bobs), (vec!["his".to_owned()], false));
    assert_eq!(contents(&his_snapshots.next().await.unwrap()), ["his"]);
    assert_eq!(app.hub.inbox("ada").head.pending, 3);

    // Bob's pushes and writes are made as bob.
    app.inbox.push(["ada"], note("from bob")).await.unwrap();
    app.inbox.mark_all_opened().await.unwrap();
    assert_eq!(app.hub.pushes().last().unwrap().sender, "user:bob");
    assert_eq!((app.hub.inbox("ada").head.pending, app.hub.inbox("bob").head.pending), (4, 0));

    // When ada signs in again, her whole inbox is back, and nothing is announced twice.
    app.signed_in.set("ada", "adas");
    app.inbox.dispose().await;
    let mut adas = app.inbox.announcements();
    app.inbox.init().await.unwrap();
    assert_eq!(contents(&app.inbox.snapshot()), ["from bob", "hers", "unread", "old"]);
    assert_eq!(announced(&mut adas), (vec![], false));
}

#[tokio::test]
async fn queued_calls_of_one_user_are_not_made_as_the_next() {
    let app = app();
    app.push("ada", "hers");
    app.push("bob", "his");
    app.signed_in.set("ada", "adas");
    app.inbox.init().await.unwrap();
    app.hub.cut();
    app.inbox.mark_all_opened().await.unwrap();
    let waiting = tokio::spawn({
        let inbox = app.inbox.clone();
        async move { inbox.push(["bob"], note("late")).await }
    });
    tokio::task::yield_now().await;
    app.inbox.dispose().await;
    app.signed_in.set("bob", "bobs");
    app.hub.mend();
    app.inbox.init().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err().kind(), ServiceErrorKind::NotInitialized);
    let now = app.inbox.snapshot();
    assert_eq!((contents(&now), now.pending, now.unconfirmed), (vec!["his"], 1, 0));
    assert_eq!(app.hub.pushes().len(), 2);
}

#[tokio::test]
async fn dispose_cancels_an_identity_that_does_not_answer() {
    let app = app();
    let starting = tokio::spawn({
        let inbox = app.inbox.clone();
        async move { inbox.init().await }
    });
    tokio::task::yield_now().await;
    app.inbox.dispose().await;
    assert_eq!(starting.await.unwrap().unwrap_err().kind(), ServiceErrorKind::NotInitialized);
    assert_eq!(app.inbox.snapshot().status, Status::Idle);
    app.signed_in.set("ada", "adas");
    app.inbox.init().await.unwrap();
    assert_eq!(app.inbox.snapshot().status, Status::Live);
}

#[tokio::test]
async fn an_error_of_the_identity_fails_init() {
    struct SignedOut;

    #[async_trait]
    impl Identity for SignedOut {
        async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
            Err(ServiceError::new(ServiceErrorKind::Unauthorized, "nobody is signed in"))
        }
    }

    let inbox = builder().hub(MockHub::new()).identity(SignedOut).build().unwrap();
    let error = inbox.init().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ServiceErrorKind::Unauthorized, "nobody is signed in")
    );
    assert_eq!(inbox.snapshot().status, Status::Idle);
}
