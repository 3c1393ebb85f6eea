use std::time::Duration;

use pusher_client::{BatchEvent, Error, ErrorKind, HttpApi, Retry, Signer, SocketId, Trigger};
use pusher_signer::Request;

use crate::server::Server;

fn signer() -> Signer {
    Signer::new("app-key", "app-secret")
}

fn api(server: &Server) -> HttpApi {
    HttpApi::builder("app-id", signer())
        .host("127.0.0.1")
        .port(server.address.port())
        .tls(false)
        .timeout(Duration::from_millis(300))
        .retry(Retry::never())
        .build()
        .unwrap()
}

fn event() -> Trigger {
    Trigger::new(["private-ada"], "news", r#"{"n":1}"#).unwrap()
}

async fn triggered(status: u16, body: &str) -> Result<(), Error> {
    let server = Server::start(vec![(status, body.to_owned())]).await;
    api(&server).trigger(&event()).await.map(drop)
}

#[test]
fn requests_can_run_on_any_thread() {
    fn is_send(_: impl Send) {}
    let api = HttpApi::builder("17", signer()).cluster("eu").build().unwrap();
    is_send(api.trigger(&event()));
    is_send(api.channel("news", &[]));
    is_send(api.send_to_user("ada", "news", "{}"));
}

#[tokio::test]
async fn requests_are_signed() {
    let server = Server::start(vec![(200, "{}".to_owned())]).await;
    let api = api(&server);
    api.trigger(&event().excluding(SocketId::from_parts(1, 2))).await.unwrap();
    let batch = BatchEvent::new("news", "n", "é").unwrap();
    api.trigger_batch(&[batch]).await.unwrap();

    let requests = server.requests();
    let bodies = [
        r#"{"name":"news","data":"{\"n\":1}","channels":["private-ada"],"socket_id":"1.2"}"#,
        r#"{"batch":[{"channel":"news","name":"n","data":"é"}]}"#,
    ];
    for ((request, path), body) in
        requests.iter().zip(["/apps/app-id/events", "/apps/app-id/batch_events"]).zip(bodies)
    {
        assert_eq!(request.method, "POST");
        assert_eq!(request.headers["content-type"], "application/json");
        assert!(request.headers["x-pusher-library"].starts_with("pusher-client "));
        assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
        let (sent_path, query) = request.target.split_once('?').unwrap();
        assert_eq!(sent_path, path);
        let query: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        let query: Vec<(&str, &str)> =
            query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let signed = Request::new("POST", path).with_query(&query).with_body(request.body.as_slice());
        signer().verify_request(&signed, now).unwrap();
    }
}

#[tokio::test]
async fn the_status_decides_the_kind_and_whether_the_error_is_retryable() {
    for (status, kind, retryable) in [
        (302, ErrorKind::BadRequest, false),
        (400, ErrorKind::BadRequest, false),
        (401, ErrorKind::Unauthorized, false),
        (403, ErrorKind::Forbidden, false),
        (404, ErrorKind::NotFound, false),
        (408, ErrorKind::Timeout, true),
        (413, ErrorKind::TooLarge, false),
        (429, ErrorKind::RateLimited, true),
        (500, ErrorKind::Server, true),
        (503, ErrorKind::Server, true),
    ] {
        let error = triggered(status, "the reason").await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable(), error.code()), (kind, retryable, Some(status)));
        assert_eq!(error.to_string().contains("the reason"), status != 401, "{error}");
    }
}

#[tokio::test]
async fn an_endless_error_text_is_shortened() {
    let error = triggered(400, &"x".repeat(1 << 20)).await.unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

#[tokio::test]
async fn a_missing_answer_and_a_missing_server_are_retryable() {
    let error = triggered(0, "").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));

    let server = Server::start(vec![(200, "{}".to_owned())]).await;
    let api = api(&server);
    drop(server);
    tokio::task::yield_now().await;
    let error = api.trigger(&event()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unreachable, true));
}

#[tokio::test]
async fn a_request_above_a_limit_is_not_sent() {
    let server = Server::start(vec![(200, "{}".to_owned())]).await;
    let too_long = Trigger::new(["a"], "n", "x".repeat(10_241)).unwrap();
    assert_eq!(api(&server).trigger(&too_long).await.unwrap_err().kind(), ErrorKind::Limit);
    assert!(server.requests().is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let builder = HttpApi::builder("app-id", signer()).cluster("eu");
    assert!(!format!("{builder:?}").contains("app-secret"));
    assert!(!format!("{:?}", builder.build().unwrap()).contains("app-secret"));
}

#[test]
fn a_malformed_configuration_is_rejected() {
    for builder in [
        HttpApi::builder("app-id", signer()),
        HttpApi::builder("a/b", signer()).cluster("eu"),
        HttpApi::builder("", signer()).cluster("eu"),
        HttpApi::builder("app-id", signer()).host("a/b"),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Configuration);
    }
}
