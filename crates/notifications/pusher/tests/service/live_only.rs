use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_pusher::contract::{
    Announcement, InternalNotificationsService, ServiceErrorKind, Snapshot, Status, Written, with_causes,
};
use internal_notifications_pusher::models::{EVENT, InternalNotification, NotificationId};
use internal_notifications_pusher::pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization,
};
use internal_notifications_pusher::{Channels, PusherService, PusherServiceBuilder};
use pusher_broker::Signer;

use crate::support::{Device, Network, Server, soon};

fn id(id: &str) -> NotificationId {
    NotificationId::new(id).unwrap()
}

fn builder() -> PusherServiceBuilder {
    PusherService::builder().channels(Channels::host("app-key", "channels.test").with_tls(false))
}

fn device(server: &Server, builder: PusherServiceBuilder) -> Device {
    let network = Network::to(server.broker.clone());
    let builder = builder.http_client(server.clone()).connector(network.clone()).seed(7);
    Device { service: builder.build().unwrap(), network }
}

fn with_endpoint() -> PusherServiceBuilder {
    builder().user("ada", "ada-token").auth_endpoint("http://backend.test/pusher/auth")
}

async fn live(server: &Server) -> Device {
    let device = device(server, with_endpoint());
    device.go_live().await;
    device
}

fn bare(id: &str) -> String {
    format!(r#"{{"id":"{id}","content":"content of {id}"}}"#)
}

async fn until_count(device: &Device, count: usize) -> Snapshot {
    device.until(|snapshot| snapshot.notifications.len() == count).await
}

#[tokio::test(start_paused = true)]
async fn list_and_count_contain_each_received_id_once() {
    let server = Server::new();
    let device = live(&server).await;
    let mut announcements = device.service.announcements();
    assert!(device.service.is_live_only());
    for data in [bare("a"), bare("b"), bare("a"), "no json".to_owned(), r#"{"content":"unnamed"}"#.to_owned()]
    {
        server.trigger("ada", EVENT, &data);
    }
    let now = until_count(&device, 3).await;
    assert_eq!((now.pending, now.notifications[0].content.as_str()), (3, "unnamed"));
    assert_eq!(&device.ids()[1..], ["b*", "a*"]);
    for content in ["content of a", "content of b", "unnamed"] {
        match soon(announcements.next()).await {
            Some(Announcement::Notification(row)) => assert_eq!(row.content, content),
            other => panic!("{other:?}"),
        }
    }
    assert!(server.seen("").iter().all(|seen| seen.path == "/pusher/auth"), "there is no inbox server");
}

#[tokio::test(start_paused = true)]
async fn the_legacy_event_is_read_and_unrelated_events_are_not() {
    let server = Server::new();
    let device = device(&server, with_endpoint().event_name("order-news"));
    device.go_live().await;
    for (n, event) in ["order-news", "Internal Notification", EVENT, "client-order-news"].iter().enumerate() {
        server.trigger("ada", event, &bare(&n.to_string()));
    }
    server.trigger("ada", "order-news", &bare("last"));
    until_count(&device, 3).await;
    assert_eq!(device.ids(), ["last*", "1*", "0*"]);
}

#[tokio::test(start_paused = true)]
async fn the_events_of_an_inbox_server_keep_their_sender() {
    let server = Server::new();
    let device = live(&server).await;
    server.add("ada", "a");
    let now = until_count(&device, 1).await;
    assert_eq!((now.notifications[0].id.as_str(), now.notifications[0].sender.as_str()), ("a", "key:test"));
}

#[tokio::test(start_paused = true)]
async fn marks_affect_only_this_device_and_pushes_fail() {
    let server = Server::new();
    let device = live(&server).await;
    let service = &device.service;
    ["a", "b", "c"].iter().for_each(|id| server.trigger("ada", EVENT, &bare(id)));
    until_count(&device, 3).await;
    assert_eq!(service.mark_opened(&[id("a"), id("c"), id("zzz")]).await, Ok(Written::Stored));
    assert_eq!(service.mark_unopened(&[id("c")]).await, Ok(Written::Stored));
    assert_eq!((device.ids(), service.snapshot().pending), (vec!["c*".into(), "b*".into(), "a".into()], 2));
    assert_eq!(service.remove(&id("b")).await, Ok(Written::Stored));
    assert_eq!(service.remove(&id("b")).await.unwrap_err().kind(), ServiceErrorKind::Unknown);
    assert_eq!(service.mark_all_opened().await, Ok(Written::Stored));
    assert_eq!((device.ids(), service.snapshot().pending), (vec!["c".into(), "a".into()], 0));
    server.trigger("ada", EVENT, &bare("b"));
    server.trigger("ada", EVENT, &bare("d"));
    until_count(&device, 3).await;
    assert_eq!(device.ids(), ["d*", "c", "a"], "a removed notification is not added again");
    let error = service.push(&["bob".parse().unwrap()], InternalNotification::new("c")).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Disabled);
}

#[tokio::test(start_paused = true)]
async fn the_list_is_bounded_the_count_is_not_and_older_ones_can_be_loaded() {
    let server = Server::new();
    let device = device(&server, with_endpoint().window(2));
    device.go_live().await;
    for n in 0..600 {
        server.trigger("ada", EVENT, &bare(&n.to_string()));
        if n % 100 == 99 {
            device.until(|snapshot| snapshot.pending == n + 1).await;
        }
    }
    let now = device.service.snapshot();
    assert_eq!((device.ids(), now.has_older), (vec!["599*".into(), "598*".into()], true));
    device.service.load_older(500).await.unwrap();
    assert_eq!(device.service.snapshot().notifications.len(), 502);
    device.service.remove(&id("599")).await.unwrap();
    assert_eq!(device.service.snapshot().notifications.len(), 502, "there is room for an older one");
    device.service.load_older(500).await.unwrap();
    let now = device.service.snapshot();
    assert_eq!((now.notifications.len(), now.has_older), (599, false));
}

#[tokio::test(start_paused = true)]
async fn it_goes_offline_pauses_and_forgets_like_any_service() {
    let server = Server::new();
    let device = live(&server).await;
    server.trigger("ada", EVENT, &bare("a"));
    until_count(&device, 1).await;
    device.network.cut(true);
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    device.network.cut(false);
    device.until_live().await;
    device.service.unsubscribe().await.unwrap();
    assert_eq!((device.ids(), device.service.snapshot().status), (vec!["a*".to_owned()], Status::Paused));
    device.service.subscribe().await.unwrap();
    device.until_live().await;
    server.trigger("ada", EVENT, &bare("b"));
    until_count(&device, 2).await;
    device.service.dispose().await;
    assert_eq!(device.service.snapshot(), Snapshot::default());
    device.go_live().await;
    assert_eq!(device.ids(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_channel_is_reported_and_retried() {
    let server = Server::new();
    server.world().rejects_channels = true;
    let device = device(&server, with_endpoint());
    device.service.init().await.unwrap();
    device
        .until(|snapshot| matches!(&snapshot.status, Status::Failed(why) if with_causes(why).contains("403")))
        .await;
    let requests = server.seen("/auth").len();
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(server.seen("/auth").len(), requests);
    server.world().rejects_channels = false;
    device.until_live().await;
    server.trigger("ada", EVENT, &bare("a"));
    until_count(&device, 1).await;
}

/// Signs with the app's secret, as a backend would.
struct LocalAuthorizer;

#[async_trait::async_trait]
impl Authorizer for LocalAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        assert_eq!(request.channel.as_str(), "private-ada");
        let signer = Signer::new("app-key", "app-secret");
        signer
            .authorize_channel(&request.socket_id, &request.channel, None)
            .map_err(|error| AuthorizationError::permanent(error.to_string()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_authorizer_needs_no_token_and_no_endpoint() {
    let server = Server::new();
    let device = device(&server, builder().user_id("ada").authorizer(LocalAuthorizer));
    device.go_live().await;
    server.trigger("ada", EVENT, &bare("a"));
    until_count(&device, 1).await;
    assert_eq!(server.seen("").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_a_url_makes_a_live_only_service() {
    let server = Server::new();
    let variables = [
        ("PUSHER_APP_KEY", "app-key"),
        ("PUSHER_HOST", "channels.test"),
        ("PUSHER_SCHEME", "http"),
        ("PUSHER_AUTH_ENDPOINT", "http://backend.test/pusher/auth"),
        ("INTERNAL_NOTIFICATIONS_USER_ID", "ada"),
        ("INTERNAL_NOTIFICATIONS_TOKEN", "ada-token"),
    ];
    let lookup = move |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let device = device(&server, PusherService::builder().env(lookup));
    assert!(device.service.is_live_only());
    device.go_live().await;
    server.trigger("ada", EVENT, &bare("a"));
    until_count(&device, 1).await;
}
