use std::sync::{Arc, Mutex};
use std::time::Duration;

use pusher_client::{
    AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, Authorizer, ChannelAuthorization,
    ErrorKind, FieldProvider, HttpAuthorizer, SocketId, TokenProvider, UserAuthenticationRequest,
    UserAuthenticator,
};

use crate::server::Server;

/// Provides numbered tokens, and records whether fresh ones were requested.
#[derive(Default)]
struct Tokens(Mutex<Vec<bool>>);

#[async_trait::async_trait]
impl TokenProvider for Tokens {
    async fn token(&self, fresh: bool) -> Result<Option<String>, AuthorizationError> {
        let mut requests = self.0.lock().unwrap();
        requests.push(fresh);
        Ok(Some(format!("token-{}", requests.len())))
    }
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest::new(SocketId::from_parts(1, 2), "private-a=b;c@d".parse().unwrap())
}

fn authorized() -> (u16, String) {
    (200, r#"{"auth":"k:s","channel_data":"{}","other":1}"#.to_owned())
}

async fn ask(
    server: &Server,
    tokens: Option<Arc<Tokens>>,
) -> Result<ChannelAuthorization, AuthorizationError> {
    let mut builder = HttpAuthorizer::builder(format!("http://{}/pusher/auth?app=1", server.address))
        .header("X-App", "7")
        .timeout(Duration::from_millis(300));
    if let Some(tokens) = tokens {
        builder = builder.token_provider(tokens);
    }
    builder.build().unwrap().authorize(&request()).await
}

async fn refused(status: u16, body: &str) -> AuthorizationErrorKind {
    let server = Server::start(vec![(status, body.to_owned())]).await;
    ask(&server, None).await.unwrap_err().kind()
}

#[tokio::test]
async fn the_request_is_the_documented_form() {
    let server = Server::start(vec![authorized()]).await;
    let answer = ask(&server, Some(Arc::default())).await.unwrap();
    assert_eq!((answer.auth.as_str(), answer.channel_data.as_deref()), ("k:s", Some("{}")));
    let sent = &server.requests()[0];
    assert_eq!((sent.method.as_str(), sent.target.as_str()), ("POST", "/pusher/auth?app=1"));
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(sent.headers["authorization"], "Bearer token-1");
    assert_eq!(sent.headers["x-app"], "7");
    assert_eq!(sent.body, b"socket_id=1.2&channel_name=private-a%3Db%3Bc%40d");
}

/// Provides a field with this name, whose value is the number of the call.
struct Counted(&'static str, Mutex<u32>);

#[async_trait::async_trait]
impl FieldProvider for Counted {
    async fn fields(&self) -> Result<Vec<(String, String)>, AuthorizationError> {
        let mut calls = self.1.lock().unwrap();
        *calls += 1;
        Ok(vec![(self.0.to_owned(), calls.to_string())])
    }
}

#[tokio::test]
async fn headers_and_parameters_are_requested_for_each_call() {
    let server = Server::start(vec![authorized()]).await;
    let authorizer = HttpAuthorizer::builder(format!("http://{}/", server.address))
        .header("X-Call", "fixed")
        .header_provider(Arc::new(Counted("x-call", Mutex::default())))
        .param("app", "a&b")
        .param_provider(Arc::new(Counted("call", Mutex::default())))
        .build()
        .unwrap();
    for _ in 0..2 {
        authorizer.authorize(&request()).await.unwrap();
    }
    for (sent, number) in server.requests().iter().zip(["1", "2"]) {
        assert_eq!(sent.headers["x-call"], number);
        let body = String::from_utf8(sent.body.clone()).unwrap();
        assert!(body.ends_with(&format!("&app=a%26b&call={number}")), "{body}");
    }
}

#[tokio::test]
async fn an_invalid_header_is_a_permanent_error() {
    let server = Server::start(vec![authorized()]).await;
    let authorizer = HttpAuthorizer::builder(format!("http://{}/", server.address))
        .header_provider(Arc::new(Counted("a\nb", Mutex::default())))
        .build()
        .unwrap();
    let error = authorizer.authorize(&request()).await.unwrap_err();
    assert_eq!(error.kind(), AuthorizationErrorKind::Permanent);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_user_auth_endpoint_gets_the_socket_id_alone() {
    let answer = r#"{"auth":"k:s","user_data":"{\"id\":\"ada\"}"}"#;
    let server = Server::start(vec![(200, answer.to_owned()), (403, String::new())]).await;
    let url = format!("http://{}/pusher/user-auth", server.address);
    let authorizer = HttpAuthorizer::builder(url).build().unwrap();
    let request = UserAuthenticationRequest::new(SocketId::from_parts(1, 2));
    let answer = authorizer.authenticate(&request).await.unwrap();
    assert_eq!((answer.auth.as_str(), answer.user_data.as_str()), ("k:s", r#"{"id":"ada"}"#));
    let sent = &server.requests()[0];
    assert_eq!((sent.target.as_str(), sent.body.as_slice()), ("/pusher/user-auth", &b"socket_id=1.2"[..]));
    let error = authorizer.authenticate(&request).await.unwrap_err();
    assert_eq!(error.kind(), AuthorizationErrorKind::Forbidden);
}

#[tokio::test]
async fn after_a_401_a_fresh_token_is_tried_once() {
    let tokens = Arc::new(Tokens::default());
    let server = Server::start(vec![(401, String::new()), authorized()]).await;
    ask(&server, Some(tokens.clone())).await.unwrap();
    assert_eq!(*tokens.0.lock().unwrap(), [false, true]);
    assert_eq!(server.requests()[1].headers["authorization"], "Bearer token-2");

    let server = Server::start(vec![(401, String::new())]).await;
    let error = ask(&server, Some(Arc::default())).await.unwrap_err();
    assert_eq!(error.kind(), AuthorizationErrorKind::Unauthorized);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_status_decides_the_kind_of_the_error() {
    use AuthorizationErrorKind::{Forbidden, Permanent, Retryable, Unauthorized};
    for (status, kind) in [
        (302, Permanent),
        (400, Permanent),
        (401, Unauthorized),
        (403, Forbidden),
        (404, Permanent),
        (408, Retryable),
        (429, Retryable),
        (500, Retryable),
        (503, Retryable),
        (0, Retryable),
    ] {
        assert_eq!(refused(status, "x").await, kind, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_an_authorization_is_rejected() {
    let long = format!(r#"{{"auth":"k:s","x":"{}"}}"#, "x".repeat(70_000));
    let nested = "[".repeat(20_000);
    for body in [
        "",
        "null",
        "[]",
        r#"["k:s",null,null]"#,
        r#"{"data":{"auth":"k:s"}}"#,
        r#"{"auth":1}"#,
        &long,
        &nested,
    ] {
        assert_eq!(refused(200, body).await, AuthorizationErrorKind::Permanent, "{body:.40}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_a_retryable_error() {
    let server = Server::start(vec![authorized()]).await;
    let authorizer = HttpAuthorizer::builder(format!("http://{}/", server.address)).build().unwrap();
    drop(server);
    tokio::task::yield_now().await;
    assert!(authorizer.authorize(&request()).await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn a_token_with_invalid_header_characters_is_an_error() {
    struct Broken;
    #[async_trait::async_trait]
    impl TokenProvider for Broken {
        async fn token(&self, _fresh: bool) -> Result<Option<String>, AuthorizationError> {
            Ok(Some("a\nb".to_owned()))
        }
    }
    let authorizer =
        HttpAuthorizer::builder("http://127.0.0.1:1/").token_provider(Arc::new(Broken)).build().unwrap();
    let error = authorizer.authorize(&request()).await.unwrap_err();
    assert_eq!(error.kind(), AuthorizationErrorKind::Permanent);
}

#[test]
fn a_malformed_configuration_is_rejected() {
    for builder in [
        HttpAuthorizer::builder("nowhere"),
        HttpAuthorizer::builder("ftp://host/"),
        HttpAuthorizer::builder("http://host/").header("a b", "c"),
        HttpAuthorizer::builder("http://host/").header("a", "b\nc"),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Configuration);
    }
}

#[test]
fn debug_shows_no_header_and_no_query() {
    let builder = HttpAuthorizer::builder("http://host/?key=hidden").header("X-Key", "hidden");
    assert!(!format!("{builder:?}").contains("hidden"));
    assert!(!format!("{:?}", builder.build().unwrap()).contains("hidden"));
}
