//! A user goes, and another comes: nothing of the one reaches the other.

use std::future::pending;
use std::sync::{Arc, Mutex};

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use internal_notifications::{
    Announcement, Credentials, Identity, InternalNotification, InternalNotifications,
    InternalNotificationsService, InternalNotificationsServiceExt, MockHub, OfflinePush, ServiceError,
    ServiceErrorKind, Snapshot, Status, UserId, async_trait,
};

use crate::support::builder;

/// Who is signed in; nobody is asked for, and never answered.
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

/// What is announced at once; and whether the stream has ended.
fn heard(announcements: &mut BoxStream<'static, Announcement>) -> (Vec<String>, bool) {
    let mut heard = Vec::new();
    loop {
        match announcements.next().now_or_never() {
            None => return (heard, false),
            Some(None) => return (heard, true),
            Some(Some(Announcement::Notification(row))) => heard.push(row.content.clone()),
            Some(Some(other)) => heard.push(format!("{other:?}")),
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
    let inbox =
        builder().hub(hub.clone()).identity(Arc::new(signed_in.clone())).offline_push(OfflinePush::Wait);
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
    assert_eq!(contents(&app.inbox.snapshot()), ["unread", "old"], "until dispose it is hers");
    app.inbox.dispose().await;
    assert_eq!(app.inbox.snapshot(), Snapshot::default());
    let (mut bobs, mut his_snapshots) = (app.inbox.announcements(), app.inbox.snapshots());
    app.inbox.init().await.unwrap();
    assert_eq!(app.inbox.snapshot().notifications.len(), 0);

    // Hers were unread when she went: nobody hears them now.
    assert_eq!(heard(&mut adas), (vec![], true));
    assert!(waiting.await.unwrap().is_none());
    while let Some(now) = snapshots.next().await {
        assert_eq!(contents(&now), Vec::<&str>::new());
    }
    app.push("ada", "hers");
    app.push("bob", "his");
    assert_eq!(heard(&mut bobs), (vec!["his".to_owned()], false));
    assert_eq!(contents(&his_snapshots.next().await.unwrap()), ["his"]);
    assert_eq!(app.hub.inbox("ada").head.pending, 3);

    // What he does is done as himself.
    app.inbox.push(&["ada".parse::<UserId>().unwrap()], note("from bob")).await.unwrap();
    app.inbox.mark_all_opened().await.unwrap();
    assert_eq!(app.hub.pushes().last().unwrap().sender, "user:bob");
    assert_eq!((app.hub.inbox("ada").head.pending, app.hub.inbox("bob").head.pending), (4, 0));

    // She comes back to all that she has; what she saw before is not announced again.
    app.signed_in.set("ada", "adas");
    app.inbox.dispose().await;
    let mut adas = app.inbox.announcements();
    app.inbox.init().await.unwrap();
    assert_eq!(contents(&app.inbox.snapshot()), ["from bob", "hers", "unread", "old"]);
    assert_eq!(heard(&mut adas), (vec![], false));
}

#[tokio::test]
async fn what_one_user_left_waiting_is_not_done_as_the_next() {
    let app = app();
    app.push("ada", "hers");
    app.push("bob", "his");
    app.signed_in.set("ada", "adas");
    app.inbox.init().await.unwrap();
    app.hub.cut();
    app.inbox.mark_all_opened().await.unwrap();
    let waiting = tokio::spawn({
        let inbox = app.inbox.clone();
        async move { inbox.push(&["bob".parse().unwrap()], note("late")).await }
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
async fn an_identity_that_does_not_answer_holds_up_no_dispose() {
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
async fn an_identity_that_errs_fails_the_init() {
    struct SignedOut;

    #[async_trait]
    impl Identity for SignedOut {
        async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
            Err(ServiceError::new(ServiceErrorKind::Unauthorized, "nobody is signed in"))
        }
    }

    let inbox = builder().hub(MockHub::new()).identity(Arc::new(SignedOut)).build().unwrap();
    let error = inbox.init().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ServiceErrorKind::Unauthorized, "nobody is signed in")
    );
    assert_eq!(inbox.snapshot().status, Status::Idle);
}
