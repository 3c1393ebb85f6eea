use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use pusher_client::{
    ChannelEvent, ConnectionState, Error, ErrorKind, Signer, SigningAuthorizer, Subscription, UserEvent,
};

use crate::engine::{APP_KEY, APP_SECRET, RunningEngine};
use crate::known_differences::{FORGED_SUBSCRIPTION, UNKNOWN_APP, UNKNOWN_KEY};
use crate::next_event::{data, next, subscribed};

fn forger() -> Arc<SigningAuthorizer> {
    Arc::new(SigningAuthorizer::new(Signer::new(APP_KEY, "not the secret")).as_user("mallory"))
}

#[tokio::test]
async fn an_unknown_app_is_refused() {
    let engine = RunningEngine::start().await;
    let client = engine.builder_for("another-key").connect().unwrap();
    let mut states = client.states();
    let seen = loop {
        match next(&mut states).await {
            ConnectionState::Failed { reason } => {
                assert_eq!((reason.kind(), reason.code()), (ErrorKind::Refused, Some(4001)));
                break "closed with 4001";
            }
            ConnectionState::Reconnecting { .. } => break "dropped without a code",
            _ => {}
        }
    };
    UNKNOWN_APP.check(engine.kind, seen);
}

#[tokio::test]
async fn a_forged_subscription_is_rejected_and_the_connection_stays() {
    let engine = RunningEngine::start().await;
    let client = engine.builder().authorizer(forger()).connect().unwrap();
    let mut errors = client.errors();
    for channel in ["private-a", "presence-a"] {
        let mut subscription = client.subscribe(channel).await.unwrap();
        let seen = match refusal(&mut subscription, &mut errors).await.code() {
            None => "null".to_owned(),
            Some(code) => format!("{code}, and the connection stays open"),
        };
        FORGED_SUBSCRIPTION.check(engine.kind, &seen);
        assert!(!engine.api.channel(channel, &[]).await.unwrap().occupied);
    }
    let mut news = subscribed(&client, "news").await;
    engine.publish("news", "x").await;
    assert_eq!(data(&mut news).await, "x");
}

/// Returns the error of a rejected subscription: from its stream, or without a channel as
/// pusher.com sends it.
async fn refusal(
    subscription: &mut Subscription,
    errors: &mut (impl futures_util::Stream<Item = Error> + Unpin),
) -> Error {
    tokio::select! {
        event = next(subscription) => match event {
            ChannelEvent::Refused(error) => error,
            other => panic!("{other:?}"),
        },
        Some(error) = errors.next() => error,
    }
}

#[tokio::test]
async fn a_forged_sign_in_is_rejected() {
    let engine = RunningEngine::start().await;
    // The error does not name the sign-in. The client attributes it to the sign-in when the answer
    // is overdue.
    let client = engine.builder().user_authenticator(forger()).subscribe_timeout(Duration::from_secs(1));
    let client = client.connect().unwrap();
    let mut user = client.sign_in().await.unwrap();
    assert!(matches!(next(&mut user).await, UserEvent::Refused(_)));
}

#[tokio::test]
async fn a_request_with_another_secret_or_key_is_rejected() {
    let engine = RunningEngine::start().await;
    let list_channels = async |signer| engine.api_with(signer).build().unwrap().channels(None, &[]).await;
    let forged = list_channels(Signer::new(APP_KEY, "not the secret")).await.unwrap_err();
    assert_eq!(forged.code(), Some(401));
    let unknown = list_channels(Signer::new("another-key", APP_SECRET)).await.unwrap_err();
    UNKNOWN_KEY.check(engine.kind, &unknown.code().unwrap().to_string());
}
