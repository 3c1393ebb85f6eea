use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use pusher_client::{
    ChannelEvent, ConnectionState, Error, ErrorKind, Signer, SigningAuthorizer, Subscription, UserEvent,
};

use crate::differences::{FORGED_SUBSCRIPTION, UNKNOWN_APP, UNKNOWN_KEY};
use crate::place::{APP_KEY, APP_SECRET, Place, name};
use crate::reading::{data, next, subscribed};

fn forger() -> Arc<SigningAuthorizer> {
    Arc::new(SigningAuthorizer::new(Signer::new(APP_KEY, "not the secret")).as_user("mallory"))
}

#[tokio::test]
async fn an_unknown_app_is_refused() {
    let place = Place::start().await;
    let client = place.builder_for("another-key").connect().unwrap();
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
    UNKNOWN_APP.check(place.engine, seen);
}

#[tokio::test]
async fn a_forged_subscription_is_refused_and_the_connection_stays() {
    let place = Place::start().await;
    let client = place.builder().authorizer(forger()).connect().unwrap();
    let mut errors = client.errors();
    for channel in ["private-a", "presence-a"] {
        let mut subscription = client.subscribe(name(channel)).await.unwrap();
        let seen = match refusal(&mut subscription, &mut errors).await.code() {
            None => "null".to_owned(),
            Some(code) => format!("{code}, and the connection stays"),
        };
        FORGED_SUBSCRIPTION.check(place.engine, &seen);
        assert!(!place.api.channel(&name(channel), &[]).await.unwrap().occupied);
    }
    let mut news = subscribed(&client, "news").await;
    place.publish("news", "x").await;
    assert_eq!(data(&mut news).await, "x");
}

/// Why a subscription was refused: told to it, or of no channel, as pusher.com does.
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
async fn a_forged_sign_in_is_refused() {
    let place = Place::start().await;
    // An error does not say that it is the sign-in's: the client takes it so when no answer has come in time.
    let client = place.builder().user_authenticator(forger()).subscribe_timeout(Duration::from_secs(1));
    let client = client.connect().unwrap();
    let mut user = client.sign_in().await.unwrap();
    assert!(matches!(next(&mut user).await, UserEvent::Refused(_)));
}

#[tokio::test]
async fn a_request_with_another_secret_or_key_is_refused() {
    let place = Place::start().await;
    let asked = async |signer| place.api_with(signer).build().unwrap().channels(None, &[]).await;
    let forged = asked(Signer::new(APP_KEY, "not the secret")).await.unwrap_err();
    assert_eq!(forged.code(), Some(401));
    let unknown = asked(Signer::new("another-key", APP_SECRET)).await.unwrap_err();
    UNKNOWN_KEY.check(place.engine, &unknown.code().unwrap().to_string());
}
