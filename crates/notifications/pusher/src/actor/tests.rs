use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::Position;
use internal_notifications_service::Ask;
use tokio::sync::mpsc;

use super::*;
use crate::bearer::Bearer;
use crate::{Http, HttpAnswer, HttpRequest, PusherService};

/// Neither answers nor knows a token.
struct Nobody;

#[async_trait]
impl Http for Nobody {
    async fn send(&self, _request: HttpRequest) -> Result<HttpAnswer, ServiceError> {
        std::future::pending().await
    }
}

#[async_trait]
impl Bearer for Nobody {
    async fn token(&self, _fresh: bool) -> Result<String, ServiceError> {
        std::future::pending().await
    }
}

fn info() -> RealtimeInfo {
    let json = r#"{"key":"k","channel":"private-ada","auth_endpoint":"/pusher/auth","event":"e","changed_event":"c",
        "position_check_seconds":60}"#;
    serde_json::from_str(json).unwrap()
}

async fn actor() -> (Actor, mpsc::Sender<Command>) {
    let builder = PusherService::builder("http://127.0.0.1:1").user("ada".parse().unwrap(), "t");
    let settings = builder.http(Arc::new(Nobody)).settings().unwrap();
    let settings = Arc::new(settings);
    let base = crate::base_url::BaseUrl::parse("http://127.0.0.1:1").unwrap();
    let api = InboxApi::new(Arc::new(Nobody), base, Arc::new(Nobody), Duration::from_secs(1));
    let (commands, inbox) = mpsc::channel(1);
    let outlets = Arc::new(Outlets::new(16));
    let page = InboxPage::default();
    let actor = Actor::start(settings, Arc::new(api), outlets, inbox, info(), page).await.unwrap();
    (actor, commands)
}

#[tokio::test(start_paused = true)]
async fn lagging_starts_a_catch_up() {
    let (mut actor, _commands) = actor().await;
    assert_eq!(actor.inbox.wants(), None);
    actor.on_channel_event(Some(ChannelEvent::Lagged(3)));
    assert_eq!(actor.inbox.wants(), Some(Ask::Changes { after: Position::default() }));
}

#[tokio::test(start_paused = true)]
async fn one_question_is_asked_at_a_time() {
    let (mut actor, _commands) = actor().await;
    for _ in 0..3 {
        actor.inbox.catch_up();
        actor.ask();
    }
    assert_eq!(actor.questions.len(), 1);
    assert_eq!(actor.ask_at(), None);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_without_a_word_is_told() {
    let (mut actor, _commands) = actor().await;
    actor.on_channel_event(None);
    assert!(matches!(actor.status(), Status::Failed(_)));
    assert!(actor.wake_at().is_some(), "the position is still checked");
}
