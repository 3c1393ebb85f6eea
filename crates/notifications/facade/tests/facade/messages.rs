//! Error messages of the Pusher service.

use internal_notifications::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, Channels, Credentials,
    InternalNotificationsBuilder, ServiceError, ServiceErrorKind, UserId, async_trait,
};

use crate::support::{SERVICE, builder, from_env, lookup};

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const USER_ID: &str = "INTERNAL_NOTIFICATIONS_USER_ID";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const SERVER: &str = "http://127.0.0.1:1";

/// A JWT: `{"alg":"HS256"}`.`{"sub":"ada"}`.
const ADAS_TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln";

struct RefusingAuthorizer;

#[async_trait]
impl Authorizer for RefusingAuthorizer {
    async fn authorize(&self, _: &AuthorizationRequest) -> Result<ChannelAuthorization, AuthorizationError> {
        Err(AuthorizationError::forbidden("refused"))
    }
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

fn build_error(builder: InternalNotificationsBuilder) -> ServiceError {
    builder.build().unwrap_err()
}

#[track_caller]
fn assert_configuration_error(error: &ServiceError, words: &[&str]) {
    assert_eq!(error.kind(), ServiceErrorKind::Configuration, "{error}");
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
    assert!(!text.contains(ADAS_TOKEN), "{text}");
}

#[test]
fn a_url_and_a_token_are_enough() {
    assert!(from_env(&[(URL, SERVER), (TOKEN, ADAS_TOKEN)]).is_ok());
    assert!(builder().url(SERVER).user(ada(), "token").build().is_ok());
    assert!(builder().url(SERVER).env(lookup(&[(TOKEN, ADAS_TOKEN)])).build().is_ok());
    assert!(builder().user_id(ada()).env(lookup(&[(URL, SERVER), (TOKEN, ADAS_TOKEN)])).build().is_ok());
}

#[test]
fn a_channels_app_and_an_authorizer_are_enough_without_a_server() {
    let channels = builder().channels(Channels::cluster("key", "eu"));
    assert!(channels.clone().user_id(ada()).authorizer(RefusingAuthorizer).build().is_ok());
    assert!(channels.clone().user(ada(), "token").auth_endpoint(SERVER).build().is_ok());
    assert_configuration_error(
        &build_error(channels.user(ada(), "token")),
        &["PUSHER_AUTH_ENDPOINT", "authorizer"],
    );
    let app = [("PUSHER_APP_KEY", "key"), ("PUSHER_APP_CLUSTER", "eu"), ("PUSHER_AUTH_ENDPOINT", SERVER)];
    assert!(builder().user(ada(), "token").env(lookup(&app)).build().is_ok());
}

#[test]
fn the_error_for_a_missing_server_names_the_settings() {
    let words = [URL, "http://127.0.0.1:8080", "`url`", "PUSHER_APP_KEY", "`channels`", "live-only"];
    for built in
        [from_env(&[]), from_env(&[(URL, ""), (TOKEN, ADAS_TOKEN)]), builder().user(ada(), "token").build()]
    {
        assert_configuration_error(&built.unwrap_err(), &words);
    }
}

#[test]
fn the_error_for_an_invalid_variable_names_it() {
    let server = (URL, SERVER);
    assert_configuration_error(
        &from_env(&[(URL, "localhost"), (TOKEN, ADAS_TOKEN)]).unwrap_err(),
        &[URL, "http://"],
    );
    assert_configuration_error(
        &from_env(&[server, (USER_ID, "a b"), (TOKEN, ADAS_TOKEN)]).unwrap_err(),
        &[USER_ID],
    );
    let seconds = "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS";
    assert_configuration_error(
        &from_env(&[server, (TOKEN, ADAS_TOKEN), (seconds, "1m")]).unwrap_err(),
        &[seconds, "1 to 86400"],
    );
    assert_configuration_error(
        &from_env(&[("PUSHER_APP_KEY", "key"), (USER_ID, "ada")]).unwrap_err(),
        &["PUSHER_APP_CLUSTER"],
    );
}

#[test]
fn an_invalid_url_in_code_is_an_error() {
    assert_configuration_error(
        &build_error(builder().url("localhost:8080").user(ada(), "token")),
        &["the server's URL"],
    );
}

#[test]
fn the_error_for_a_missing_user_names_the_settings() {
    let words = [TOKEN, "identity"];
    assert_configuration_error(&from_env(&[(URL, SERVER), (USER_ID, "ada")]).unwrap_err(), &words);
    assert_configuration_error(&build_error(builder().url(SERVER)), &words);
}

#[test]
fn the_error_for_a_token_of_another_user_does_not_contain_the_token() {
    assert_configuration_error(
        &from_env(&[(URL, SERVER), (USER_ID, "bob"), (TOKEN, ADAS_TOKEN)]).unwrap_err(),
        &[TOKEN, USER_ID, "another user"],
    );
    let bob: UserId = "bob".parse().unwrap();
    assert_configuration_error(
        &build_error(builder().user_id(bob.clone()).env(lookup(&[(URL, SERVER), (TOKEN, ADAS_TOKEN)]))),
        &["another user"],
    );
    let error = build_error(builder().url(SERVER).user(bob, ADAS_TOKEN));
    assert_eq!(error.kind(), ServiceErrorKind::Unauthorized);
    assert_eq!(error.to_string(), "the token belongs to another user (its `sub`)");
}

#[test]
fn a_user_in_code_takes_precedence_over_the_environment() {
    let bobs = [(URL, SERVER), (USER_ID, "bob"), (TOKEN, "not a token")];
    assert!(builder().env(lookup(&bobs)).user(ada(), ADAS_TOKEN).build().is_ok());
    let identity = Credentials::new(ada(), ADAS_TOKEN).unwrap();
    assert!(builder().env(lookup(&bobs)).identity(identity).build().is_ok());
}

#[test]
fn the_error_for_contradictory_settings_names_both() {
    let complete = || builder().url(SERVER).user(ada(), "token");
    let identity = || Credentials::new(ada(), "token").unwrap();
    let channels = || Channels::cluster("key", "eu");
    let authorizer = || RefusingAuthorizer;
    for (builder, words) in [
        (complete().channels(channels()), ["`url`", "`channels`"]),
        (complete().user_id(ada()), ["`user`", "`user_id`"]),
        (complete().identity(identity()), ["`user`", "`identity`"]),
        (builder().url(SERVER).user_id(ada()).identity(identity()), ["`user_id`", "`identity`"]),
        (complete().authorizer(authorizer()).auth_endpoint(SERVER), ["`authorizer`", "`auth_endpoint`"]),
    ] {
        assert_configuration_error(&build_error(builder.clone()), &words);
        // It is an error even if the chosen service does not use the settings.
        assert_configuration_error(&build_error(builder.env(lookup(&[(SERVICE, "none")]))), &words);
    }
}

#[test]
fn the_name_of_a_client_event_is_rejected() {
    assert_configuration_error(
        &build_error(builder().url(SERVER).user(ada(), "token").event_name("client-note")),
        &["event name"],
    );
}

#[test]
fn debug_output_contains_no_secret() {
    let builder = builder().url(SERVER).user(ada(), "hidden-token").env(lookup(&[(TOKEN, "hidden-too")]));
    let text = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!text.contains("hidden"), "{text}");
}

#[test]
fn the_error_for_an_invalid_user_names_the_rule() {
    for builder in [builder().url(SERVER).user("a b", "token"), builder().url(SERVER).user_id("a b")] {
        assert_configuration_error(&build_error(builder), &["user of the builder", "letters, digits"]);
    }
}
