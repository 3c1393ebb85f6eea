use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::Position;
use internal_notifications_service::InboxQuery;
use tokio::sync::mpsc;

use super::*;
use crate::api::{BaseUrl, Token, TokenSource};
use crate::{HttpClient, HttpRequest, HttpResponse, PusherService};

/// A server that never answers, and a source of tokens that never returns one.
struct Unresponsive;

#[async_trait]
impl HttpClient for Unresponsive {
    async fn send(&self, _request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        std::future::pending().await
    }
}

#[async_trait]
impl TokenSource for Unresponsive {
    async fn token(&self) -> Result<Token, ServiceError> {
        std::future::pending().await
    }

    async fn replacement(&self, _refused: &Token) -> Result<Option<Token>, ServiceError> {
        std::future::pending().await
    }

    fn forget_refusals(&self) {}
}

fn info() -> RealtimeInfo {
    let json = r#"{"key":"k","channel":"private-ada","auth_endpoint":"/pusher/auth","event":"e",
        "changed_event":"c","position_check_seconds":60}"#;
    serde_json::from_str(json).unwrap()
}

async fn actor() -> (Actor, mpsc::Sender<Command>) {
    let builder = PusherService::builder().url("http://127.0.0.1:1").user("ada", "t");
    let settings = Arc::new(builder.http_client(Unresponsive).settings().unwrap());
    let base = BaseUrl::parse("http://127.0.0.1:1").unwrap();
    let api = InboxApi::new(Arc::new(Unresponsive), base, Arc::new(Unresponsive), Duration::from_secs(1));
    let (sender, commands) = mpsc::channel(1);
    let publisher = Arc::new(Publisher::new(16));
    let first = First::Loaded(Box::new(info()), InboxPage::default());
    let actor =
        Actor::start(settings, Arc::new(api), publisher, Keeper::default(), commands, first).await.unwrap();
    (actor, sender)
}

#[tokio::test(start_paused = true)]
async fn dropped_live_events_start_a_catch_up() {
    let (mut actor, _commands) = actor().await;
    assert_eq!(actor.inbox.next_query(), None);
    actor.on_channel_event(Some(LiveUpdate::Event(ChannelEvent::Lagged(3))));
    assert_eq!(actor.inbox.next_query(), Some(InboxQuery::Changes { after: Position::default() }));
}

#[tokio::test(start_paused = true)]
async fn one_fetch_is_in_progress_at_a_time() {
    let (mut actor, _commands) = actor().await;
    for _ in 0..3 {
        actor.inbox.catch_up();
        actor.fetch_if_due();
    }
    assert_eq!(actor.fetches.len(), 1);
    assert_eq!(actor.fetch_at(), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_subscription_that_ends_without_a_reason_the_inbox_is_polled() {
    let (mut actor, _commands) = actor().await;
    actor.on_channel_event(None);
    assert!(matches!(actor.status(), Status::Polling(_)));
    assert!(actor.timer().is_some(), "the position is still checked");
}
