//! Tests every call against a double that checks its signature.

use pusher_client::{
    Attribute, BatchEvent, ChannelName, EncryptionMasterKey, ErrorKind, HttpApi, HttpApiBuilder, Signer,
    SocketId, Trigger,
};

use crate::channels_server::ChannelsServer;

const MASTER_KEY: [u8; 32] = *b"01234567890123456789012345678901";

fn signer() -> Signer {
    Signer::new("app-key", "app-secret").with_encryption_master_key(EncryptionMasterKey::new(MASTER_KEY))
}

fn channel(name: &str) -> ChannelName {
    name.parse().unwrap()
}

async fn start() -> (ChannelsServer, HttpApi) {
    let server = ChannelsServer::start(signer()).await;
    let api = HttpApi::builder("17", signer()).host("127.0.0.1").port(server.address.port()).tls(false);
    let api = api.build().unwrap();
    (server, api)
}

/// Returns the only call: method and path, query, body.
fn only(server: &ChannelsServer) -> (String, String, String) {
    let calls = server.calls();
    let [(method, path, query, body)] = &calls[..] else { panic!("{calls:?}") };
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (format!("{method} {path}"), query.join("&"), body.clone())
}

fn call(line: &str, query: &str, body: &str) -> (String, String, String) {
    (line.to_owned(), query.to_owned(), body.to_owned())
}

#[tokio::test]
async fn an_event_reaches_many_channels_and_returns_the_requested_attributes() {
    let (server, api) = start().await;
    let event = Trigger::new(["presence-foobar", "another"], "news", "x").unwrap();
    assert!(api.trigger(&event).await.unwrap().is_empty());
    let body = r#"{"name":"news","data":"x","channels":["presence-foobar","another"]}"#;
    assert_eq!(only(&server), call("POST /apps/17/events", "", body));

    let event = event
        .excluding(SocketId::from_parts(1, 2))
        .with_info([Attribute::UserCount, Attribute::SubscriptionCount]);
    let counts = api.trigger(&event).await.unwrap();
    assert_eq!(counts.len(), 2);
    let foobar = counts["presence-foobar"];
    assert_eq!((foobar.user_count, foobar.subscription_count), (Some(42), Some(51)));
    assert_eq!((counts["another"].user_count, counts["another"].subscription_count), (None, None));
    let body = r#"{"name":"news","data":"x","channels":["presence-foobar","another"],"socket_id":"1.2","info":"user_count,subscription_count"}"#;
    assert_eq!(only(&server).2, body);
}

#[tokio::test]
async fn a_batch_returns_the_requested_attributes_in_order() {
    let (server, api) = start().await;
    let event = |name_of: &str| BatchEvent::new(name_of, "news", "x").unwrap();
    assert!(api.trigger_batch(&[event("a"), event("b")]).await.unwrap().is_empty());
    let body =
        r#"{"batch":[{"channel":"a","name":"news","data":"x"},{"channel":"b","name":"news","data":"x"}]}"#;
    assert_eq!(only(&server), call("POST /apps/17/batch_events", "", body));

    let counted = event("presence-a").with_info([Attribute::UserCount]);
    let counts = api.trigger_batch(&[counted.clone(), event("b")]).await.unwrap();
    assert_eq!(counts.iter().map(|counts| counts.user_count).collect::<Vec<_>>(), [Some(42), None]);
    // The double answers for two events, but the batch has three.
    let error = api.trigger_batch(&[counted, event("b"), event("c")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
}

#[tokio::test]
async fn a_user_receives_an_event_and_its_connections_are_closed() {
    let (server, api) = start().await;
    api.send_to_user("42", "news", "x").await.unwrap();
    let body = r##"{"name":"news","data":"x","channels":["#server-to-user-42"]}"##;
    assert_eq!(only(&server), call("POST /apps/17/events", "", body));

    api.terminate_user_connections("42").await.unwrap();
    assert_eq!(only(&server), call("POST /apps/17/users/42/terminate_connections", "", "{}"));

    for id in ["", "a/b", "a b", "é", "a\n", &"x".repeat(149), "..?x"] {
        let error = api.terminate_user_connections(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{id:?}");
        assert_eq!(api.send_to_user(id, "news", "x").await.unwrap_err().kind(), ErrorKind::Limit);
    }
    assert_eq!(api.terminate_user_connections("..").await.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn channels_are_listed_by_prefix_with_their_user_counts() {
    let (server, api) = start().await;
    let counts = api.channels(Some("presence-"), &[Attribute::UserCount]).await.unwrap();
    assert_eq!((counts.len(), counts["presence-another"].user_count), (2, Some(123)));
    assert_eq!(
        only(&server),
        call("GET /apps/17/channels", "filter_by_prefix=presence-&info=user_count", "")
    );
    assert_eq!(api.channels(None, &[]).await.unwrap().len(), 2);
    assert_eq!(only(&server), call("GET /apps/17/channels", "", ""));
    api.channels(Some("#server-to-user-"), &[]).await.unwrap();
    assert_eq!(only(&server).1, "filter_by_prefix=#server-to-user-");

    for (prefix, info) in [
        (None, &[Attribute::UserCount][..]),
        (Some("private-"), &[Attribute::UserCount]),
        (Some("presence-"), &[Attribute::SubscriptionCount]),
        (Some("presence-"), &[Attribute::UserCount, Attribute::Cache]),
        (Some("a&info=x"), &[]),
    ] {
        assert_eq!(api.channels(prefix, info).await.unwrap_err().kind(), ErrorKind::Limit, "{prefix:?}");
    }
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_channel_reports_whether_it_is_occupied_and_its_attributes() {
    let (server, api) = start().await;
    let info = [Attribute::UserCount, Attribute::SubscriptionCount];
    let state = api.channel("presence-foobar", &info).await.unwrap();
    assert_eq!((state.occupied, state.counts.user_count), (true, Some(42)));
    assert_eq!(
        only(&server),
        call("GET /apps/17/channels/presence-foobar", "info=user_count,subscription_count", "")
    );

    let state = api.channel("cache-news", &[Attribute::Cache]).await.unwrap();
    let cached = state.cache.unwrap();
    assert_eq!((state.occupied, cached.data.as_str(), cached.ttl), (false, r#"{"n":1}"#, 1700));
    assert_eq!(api.channel("cache-empty", &[Attribute::Cache]).await.unwrap().cache, None);
    // Names with every special character that is allowed.
    for name in ["a=@,.;b", "#server-to-user-42"] {
        assert!(api.channel(name, &[]).await.unwrap().occupied);
    }
    let error = api.channel("private-a", &[Attribute::UserCount]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let error = api.channel("unknown", &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::NotFound, Some(404)));
}

#[tokio::test]
async fn the_users_of_a_presence_channel_are_listed() {
    let (server, api) = start().await;
    assert_eq!(api.users("presence-foobar").await.unwrap(), ["1", "2"]);
    assert_eq!(only(&server), call("GET /apps/17/channels/presence-foobar/users", "", ""));
    assert_eq!(api.users("private-a").await.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(server.calls(), []);
    let error = api.users("presence-odd").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::UnexpectedAnswer, false));
}

#[tokio::test]
async fn only_the_key_of_an_encrypted_channel_opens_its_data() {
    let (server, api) = start().await;
    let encrypted = channel("private-encrypted-user-42");
    api.trigger(&Trigger::new([&encrypted], "news", r#"{"n":1}"#).unwrap()).await.unwrap();
    let events = ["private-encrypted-user-42", "open"].map(|on| BatchEvent::new(on, "news", "x").unwrap());
    api.trigger_batch(&events).await.unwrap();

    let calls = server.calls();
    let body = |call: usize| serde_json::from_str::<serde_json::Value>(&calls[call].3).unwrap();
    let authorization = signer().authorize_channel(&SocketId::from_parts(1, 2), &encrypted, None).unwrap();
    let secret =
        pusher_signer::encrypted::SharedSecret::from_base64(&authorization.shared_secret.unwrap()).unwrap();
    assert_eq!(secret.open(body(0)["data"].as_str().unwrap()).unwrap(), r#"{"n":1}"#);
    let batch = &body(1)["batch"];
    assert_eq!(secret.open(batch[0]["data"].as_str().unwrap()).unwrap(), "x");
    assert_eq!(batch[1]["data"], "x");
}

#[tokio::test]
async fn a_wrong_secret_is_unauthorized() {
    let (server, _) = start().await;
    let api = HttpApi::builder("17", Signer::new("app-key", "other")).host("127.0.0.1");
    let api = api.port(server.address.port()).tls(false).build().unwrap();
    let error = api.channels(None, &[]).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some(401)));
}

#[tokio::test]
async fn a_url_is_enough() {
    let (server, _) = start().await;
    let url = format!("http://app-key:app-secret@{}/apps/17", server.address);
    HttpApi::from_url(&url).unwrap().send_to_user("42", "news", "x").await.unwrap();
    let api = HttpApiBuilder::from_lookup(|variable| (variable == "PUSHER_URL").then(|| url.clone()));
    api.unwrap().build().unwrap().terminate_user_connections("42").await.unwrap();
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn the_limit_of_the_data_is_configurable() {
    let (server, _) = start().await;
    let api = HttpApi::builder("17", signer()).host("127.0.0.1").port(server.address.port()).tls(false);
    let api = api.max_data_bytes(20_000).build().unwrap();
    let event = |bytes| Trigger::new(["a"], "news", "x".repeat(bytes)).unwrap();
    api.trigger(&event(20_000)).await.unwrap();
    assert_eq!(api.trigger(&event(20_001)).await.unwrap_err().kind(), ErrorKind::Limit);
}

#[tokio::test]
async fn other_calls_are_signed_too() {
    let (server, api) = start().await;
    let _ = api.get("/channels/presence-foobar", &[("info", "user_count")]).await;
    assert_eq!(only(&server), call("GET /apps/17/channels/presence-foobar", "info=user_count", ""));
    let _ = api.post("events", r#"{"name":"news","data":"x","channels":["a"]}"#).await;
    assert_eq!(only(&server).0, "POST /apps/17/events");
    for path in ["a/../b", "a?b=c", "a#b", "a b", "."] {
        assert_eq!(api.get(path, &[]).await.unwrap_err().kind(), ErrorKind::Limit, "{path}");
    }
    assert!(api.get("channels", &[("auth_key", "x")]).await.is_err());
    assert!(server.calls().is_empty());
}
