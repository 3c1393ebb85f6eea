//! What people are told who got something wrong with the Pusher service.

use std::sync::Arc;

use internal_notifications::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, Channels, Credentials,
    InternalNotificationsBuilder, ServiceError, ServiceErrorKind, UserId, async_trait,
};

use crate::support::{SERVICE, builder, from_env, lookup};

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const SERVER: &str = "http://127.0.0.1:1";

/// `{"alg":"HS256"}`.`{"sub":"ada"}`.
const ADAS: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln";

struct Nobody;

#[async_trait]
impl Authorizer for Nobody {
    async fn authorize(&self, _: &AuthorizationRequest) -> Result<ChannelAuthorization, AuthorizationError> {
        Err(AuthorizationError::forbidden("nobody may"))
    }
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

fn refused(builder: InternalNotificationsBuilder) -> ServiceError {
    builder.build().unwrap_err()
}

#[track_caller]
fn tells(error: &ServiceError, words: &[&str]) {
    assert_eq!(error.kind(), ServiceErrorKind::Configuration, "{error}");
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert!(!text.contains(ADAS), "{text}");
}

#[test]
fn a_url_and_a_token_are_enough() {
    assert!(from_env(&[(URL, SERVER), (TOKEN, ADAS)]).is_ok());
    assert!(builder().url(SERVER).user(ada(), "token").build().is_ok());
    assert!(builder().url(SERVER).env(lookup(&[(TOKEN, ADAS)])).build().is_ok());
    assert!(builder().user_id(ada()).env(lookup(&[(URL, SERVER), (TOKEN, ADAS)])).build().is_ok());
}

#[test]
fn a_channels_app_and_who_authorizes_are_enough_without_a_server() {
    let channels = builder().channels(Channels::cluster("key", "eu"));
    assert!(channels.clone().user_id(ada()).authorizer(Arc::new(Nobody)).build().is_ok());
    assert!(channels.clone().user(ada(), "token").auth_endpoint(SERVER).build().is_ok());
    tells(&refused(channels.user(ada(), "token")), &["PUSHER_AUTH_ENDPOINT", "authorizer"]);
    let app = [("PUSHER_APP_KEY", "key"), ("PUSHER_APP_CLUSTER", "eu"), ("PUSHER_AUTH_ENDPOINT", SERVER)];
    assert!(builder().user(ada(), "token").env(lookup(&app)).build().is_ok());
}

#[test]
fn a_missing_server_is_told_with_what_names_one() {
    let words = [URL, "http://127.0.0.1:8080", "`url`", "PUSHER_APP_KEY", "`channels`", "live-only"];
    for built in
        [from_env(&[]), from_env(&[(URL, ""), (TOKEN, ADAS)]), builder().user(ada(), "token").build()]
    {
        tells(&built.unwrap_err(), &words);
    }
}

#[test]
fn a_wrong_variable_is_named() {
    let server = (URL, SERVER);
    tells(&from_env(&[(URL, "localhost"), (TOKEN, ADAS)]).unwrap_err(), &[URL, "http://"]);
    tells(&from_env(&[server, (USER_ID, "a b"), (TOKEN, ADAS)]).unwrap_err(), &[USER_ID]);
    let seconds = "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS";
    tells(&from_env(&[server, (TOKEN, ADAS), (seconds, "1m")]).unwrap_err(), &[seconds, "1 to 86400"]);
    tells(&from_env(&[("PUSHER_APP_KEY", "key"), (USER_ID, "ada")]).unwrap_err(), &["PUSHER_APP_CLUSTER"]);
}

#[test]
fn a_wrong_url_in_code_is_told() {
    tells(&refused(builder().url("localhost:8080").user(ada(), "token")), &["the server's URL"]);
}

#[test]
fn nobody_who_says_who_the_user_is() {
    let words = [TOKEN, "identity"];
    tells(&from_env(&[(URL, SERVER), (USER_ID, "ada")]).unwrap_err(), &words);
    tells(&refused(builder().url(SERVER)), &words);
}

#[test]
fn a_token_of_another_user_is_told_without_the_token() {
    tells(
        &from_env(&[(URL, SERVER), (USER_ID, "bob"), (TOKEN, ADAS)]).unwrap_err(),
        &[TOKEN, USER_ID, "another user"],
    );
    let bob: UserId = "bob".parse().unwrap();
    tells(
        &refused(builder().user_id(bob.clone()).env(lookup(&[(URL, SERVER), (TOKEN, ADAS)]))),
        &["another user"],
    );
    let error = refused(builder().url(SERVER).user(bob, ADAS));
    assert_eq!(error.kind(), ServiceErrorKind::Unauthorized);
    assert_eq!(error.to_string(), "the token belongs to another user (its `sub`)");
}

#[test]
fn who_is_told_in_code_goes_before_the_environment() {
    let bobs = [(URL, SERVER), (USER_ID, "bob"), (TOKEN, "not a token")];
    assert!(builder().env(lookup(&bobs)).user(ada(), ADAS).build().is_ok());
    let identity = Arc::new(Credentials::new(ada(), ADAS).unwrap());
    assert!(builder().env(lookup(&bobs)).identity(identity).build().is_ok());
}

#[test]
fn settings_that_contradict_each_other_are_both_named() {
    let complete = || builder().url(SERVER).user(ada(), "token");
    let identity = || Arc::new(Credentials::new(ada(), "token").unwrap());
    let channels = || Channels::cluster("key", "eu");
    let authorizer = || Arc::new(Nobody);
    for (builder, words) in [
        (complete().channels(channels()), ["`url`", "`channels`"]),
        (complete().user_id(ada()), ["`user`", "`user_id`"]),
        (complete().identity(identity()), ["`user`", "`identity`"]),
        (builder().url(SERVER).user_id(ada()).identity(identity()), ["`user_id`", "`identity`"]),
        (complete().authorizer(authorizer()).auth_endpoint(SERVER), ["`authorizer`", "`auth_endpoint`"]),
    ] {
        tells(&refused(builder.clone()), &words);
        // A mock would not find out otherwise, and neither would an app that is switched off for today.
        tells(&refused(builder.env(lookup(&[(SERVICE, "none")]))), &words);
    }
}

#[test]
fn an_event_name_that_any_client_could_send_is_refused() {
    tells(&refused(builder().url(SERVER).user(ada(), "token").event_name("client-note")), &["event name"]);
}

#[test]
fn debug_shows_no_secret() {
    let builder = builder().url(SERVER).user(ada(), "hidden-token").env(lookup(&[(TOKEN, "hidden-too")]));
    let text = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!text.contains("hidden"), "{text}");
}
