//! Tests which requests are sent again.

use std::time::Duration;

use pusher_client::{Backoff, Error, ErrorKind, HttpApi, Retry, Signer, Trigger};

use crate::server::Server;

fn api(server: &Server) -> HttpApi {
    HttpApi::builder("17", Signer::new("app-key", "app-secret"))
        .host("127.0.0.1")
        .port(server.address.port())
        .tls(false)
        .timeout(Duration::from_millis(300))
        .retry(Retry::default().backoff(Backoff::new(Duration::from_millis(1), Duration::from_secs(2))))
        .build()
        .unwrap()
}

fn event() -> Trigger {
    Trigger::new(["private-ada"], "news", "x").unwrap()
}

/// Publishes an event to a server with these answers. Returns the result and the number of
/// requests.
async fn published(answers: &[u16]) -> (Result<(), Error>, usize) {
    let server = scripted(answers).await;
    let result = api(&server).trigger(&event()).await.map(drop);
    (result, server.requests().len())
}

async fn queried(answers: &[u16]) -> (Result<(), Error>, usize) {
    let server = scripted(answers).await;
    let result = api(&server).channels(None, &[]).await.map(drop);
    (result, server.requests().len())
}

async fn scripted(answers: &[u16]) -> Server {
    Server::start(answers.iter().map(|status| (*status, r#"{"channels":{}}"#.to_owned())).collect()).await
}

#[tokio::test]
async fn an_event_that_was_not_processed_is_sent_again() {
    for status in [429, 503] {
        assert_eq!(published(&[status, status, 200]).await, (Ok(()), 3), "{status}");
    }
    let (result, requests) = published(&[503]).await;
    assert_eq!((result.unwrap_err().kind(), requests), (ErrorKind::Server, 3), "there are three attempts");
}

#[tokio::test]
async fn an_event_that_may_have_been_processed_is_not_sent_again() {
    for (status, kind) in [
        (0, ErrorKind::Timeout),
        (408, ErrorKind::Timeout),
        (500, ErrorKind::Server),
        (502, ErrorKind::Server),
        (504, ErrorKind::Timeout),
        (599, ErrorKind::Server),
    ] {
        let (result, requests) = published(&[status, 200]).await;
        assert_eq!((result.unwrap_err().kind(), requests), (kind, 1), "{status}");
    }
}

#[tokio::test]
async fn a_query_is_sent_again_after_every_temporary_failure() {
    for status in [0, 408, 429, 500, 502, 503, 504] {
        assert_eq!(queried(&[status, 200]).await, (Ok(()), 2), "{status}");
    }
}

#[tokio::test]
async fn a_request_to_close_connections_is_sent_again_like_a_query() {
    let server = scripted(&[0, 200]).await;
    api(&server).terminate_user_connections("42").await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_rejected_request_is_not_sent_again() {
    for status in [302, 400, 401, 403, 404, 413] {
        assert_eq!(published(&[status, 200]).await.1, 1, "{status}");
        assert_eq!(queried(&[status, 200]).await.1, 1, "{status}");
    }
}

#[tokio::test]
async fn an_event_is_sent_again_if_there_was_no_connection() {
    // The socket is bound but does not listen yet: connections are refused, and no other process
    // gets the port.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let patient = HttpApi::builder("17", Signer::new("app-key", "app-secret"))
        .host("127.0.0.1")
        .port(socket.local_addr().unwrap().port())
        .tls(false)
        .retry(
            Retry::default()
                .attempts(1_000)
                .backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5))),
        );
    let once = patient.clone().retry(Retry::never()).build().unwrap();
    assert_eq!(once.trigger(&event()).await.unwrap_err().kind(), ErrorKind::Unreachable);

    let patient = patient.build().unwrap();
    let event = event();
    let mut call = std::pin::pin!(patient.trigger(&event));
    let refused = tokio::time::timeout(Duration::from_millis(50), &mut call).await;
    assert!(refused.is_err(), "the call ended while connections were refused");
    let listener = socket.listen(16).unwrap();
    let (result, ()) = tokio::join!(call, async { drop(listener.accept().await.unwrap()) });
    // The connection was established and then broke, so the server may have processed the event.
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Network);
}
