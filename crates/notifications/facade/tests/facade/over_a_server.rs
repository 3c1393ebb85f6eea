//! The facade over a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications::pusher_client::HttpAuthorizer;
use internal_notifications::{
    Announcement, AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, InboxClient,
    InternalNotification, InternalNotifications, ServiceKind, Snapshot, Status, UserId, async_trait,
};
use internal_notifications_testkit::server::TestServer;

use crate::support::{builder, from_env};
use crate::switching::SignedIn;

fn user(name: &str) -> UserId {
    name.parse().unwrap()
}

fn note(content: &str) -> InternalNotification {
    InternalNotification::new(content)
}

fn inbox(server: &TestServer, name: &str) -> InternalNotifications {
    let token = server.token(&user(name));
    from_env(&[("INTERNAL_NOTIFICATIONS_URL", &server.base_url()), ("INTERNAL_NOTIFICATIONS_TOKEN", &token)])
        .unwrap()
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it should complete in time")
}

async fn live(inbox: &InternalNotifications) {
    in_time(inbox.init()).await.unwrap();
    until(inbox, |now| now.status == Status::Live).await;
}

async fn until(
    inbox: &InternalNotifications,
    condition: impl Fn(&Snapshot) -> bool + Send + Sync,
) -> Snapshot {
    in_time(inbox.wait_for(condition)).await.expect("the service should not be disposed")
}

async fn next_content(announcements: &mut BoxStream<'static, Announcement>) -> Option<String> {
    match in_time(announcements.next()).await? {
        Announcement::Notification(row) => Some(row.content.clone()),
        other => Some(format!("{other:?}")),
    }
}

#[tokio::test]
async fn two_handles_of_one_user_show_the_same_inbox() {
    let server = TestServer::start().await.unwrap();
    let (one, other) = (inbox(&server, "ada"), inbox(&server, "ada"));
    assert_eq!(one.kind(), ServiceKind::Pusher);
    live(&one).await;
    live(&other).await;
    let (mut ones, mut others) = (one.announcements(), other.announcements());
    let backend = InboxClient::new(&server.base_url(), server.api_key()).unwrap();
    backend.push(&[user("ada")], note("a")).await.unwrap();
    backend.push(&[user("ada")], note("b")).await.unwrap();
    for announcements in [&mut ones, &mut others] {
        assert_eq!(next_content(announcements).await.as_deref(), Some("a"));
        assert_eq!(next_content(announcements).await.as_deref(), Some("b"));
    }
    let opened = one.snapshot().notifications[1].id.clone();
    one.mark_opened([opened]).await.unwrap();
    let seq = one.snapshot().position.seq;
    let there = in_time(other.wait_until(seq)).await.unwrap();
    assert_eq!((there.pending, there.notifications[1].opened), (1, true));

    // One is disposed; the other is not affected.
    one.dispose().await;
    assert_eq!(next_content(&mut ones).await, None);
    backend.push(&[user("ada")], note("c")).await.unwrap();
    assert_eq!(next_content(&mut others).await.as_deref(), Some("c"));
    assert_eq!(one.snapshot(), Snapshot::default());
}

#[tokio::test]
async fn nothing_of_one_user_reaches_the_next() {
    let server = TestServer::start().await.unwrap();
    let signed_in = SignedIn::default();
    let adas_other_device = inbox(&server, "ada");
    let inbox = builder().url(server.base_url()).identity(signed_in.clone()).build().unwrap();
    let backend = InboxClient::new(&server.base_url(), server.api_key()).unwrap();
    signed_in.set("ada", &server.token(&user("ada")));
    live(&inbox).await;
    let (mut adas, mut snapshots) = (inbox.announcements(), inbox.snapshots());
    backend.push(&[user("ada")], note("unread")).await.unwrap();
    until(&inbox, |now| now.pending == 1).await;

    signed_in.set("bob", &server.token(&user("bob")));
    inbox.dispose().await;
    let mut bobs = inbox.announcements();
    live(&inbox).await;
    assert_eq!(next_content(&mut adas).await, None);
    while let Some(now) = in_time(snapshots.next()).await {
        assert_eq!(now.notifications.len(), 0);
    }
    backend.push(&[user("ada"), user("bob")], note("both")).await.unwrap();
    backend.push(&[user("ada")], note("hers")).await.unwrap();
    backend.push(&[user("bob")], note("his")).await.unwrap();
    for content in ["both", "his"] {
        assert_eq!(next_content(&mut bobs).await.as_deref(), Some(content));
    }
    assert_eq!(inbox.snapshot().pending, 2);
    inbox.mark_all_opened().await.unwrap();
    live(&adas_other_device).await;
    assert_eq!(adas_other_device.snapshot().pending, 3);
}

/// Authorizes by the server's endpoint and counts the requests.
struct CountingAuthorizer(HttpAuthorizer, AtomicUsize);

#[async_trait]
impl Authorizer for CountingAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.authorize(request).await
    }
}

#[tokio::test]
async fn a_custom_authorizer_authorizes_each_connection() {
    let server = TestServer::start().await.unwrap();
    let (ada, proxy) = (user("ada"), server.proxy().await.unwrap());
    let endpoint = HttpAuthorizer::builder(format!("{}/pusher/auth", server.base_url()));
    let endpoint =
        endpoint.header("authorization", format!("Bearer {}", server.token(&ada))).build().unwrap();
    let counting = Arc::new(CountingAuthorizer(endpoint, AtomicUsize::new(0)));
    let builder = builder().url(proxy.url()).user(ada.clone(), server.token(&ada));
    let inbox = builder.authorizer(counting.clone()).build().unwrap();
    live(&inbox).await;
    assert_eq!(counting.1.load(Ordering::SeqCst), 1);
    proxy.cut().await;
    until(&inbox, |now| matches!(now.status, Status::Offline(_))).await;
    proxy.mend();
    until(&inbox, |now| now.status == Status::Live).await;
    assert!(counting.1.load(Ordering::SeqCst) > 1);
}
