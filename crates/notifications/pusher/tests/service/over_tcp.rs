use std::error::Error;

use internal_notifications_pusher::contract::{InternalNotificationsService, ServiceErrorKind};
use internal_notifications_pusher::{MAX_RESPONSE_BYTES, PusherService};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Starts a server that sends this response to every request and keeps the connection open. Returns
/// its URL and the number of requests.
async fn answering(head: &'static str, body: Vec<u8>) -> (String, tokio::sync::watch::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (count, requests) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.send_modify(|count| *count += 1);
            let body = body.clone();
            tokio::spawn(async move {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
                let _ = stream.read(&mut request).await;
            });
        }
    });
    (url, requests)
}

async fn init(url: &str) -> ServiceErrorKind {
    let service = PusherService::builder().url(url).user("ada", "token").build().unwrap();
    service.init().await.unwrap_err().kind()
}

#[tokio::test]
async fn an_endless_response_is_not_read_to_its_end() {
    // One body with the fields of every response that init needs.
    let mut body =
        br#"{"seq":0,"tag":null,"pending":0,"notifications":[],"next":null,"key":"k","channel":"private-ada",
        "auth_endpoint":"/a","event":"e","changed_event":"c","position_check_seconds":60}"#
            .to_vec();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let (url, _) = answering(head.leak(), body.clone()).await;
    let service = PusherService::builder().url(url).user("ada", "token").build().unwrap();
    service.init().await.unwrap();
    body.resize(MAX_RESPONSE_BYTES + 1, b' ');
    let (url, _) = answering("HTTP/1.1 200 OK\r\n\r\n", body).await;
    assert_eq!(init(&url).await, ServiceErrorKind::Protocol);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (elsewhere, visits) = answering("HTTP/1.1 200 OK\r\n\r\n", Vec::new()).await;
    let head =
        format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n");
    let (url, _) = answering(head.leak(), Vec::new()).await;
    assert_eq!(init(&url).await, ServiceErrorKind::Unavailable);
    assert_eq!(*visits.borrow(), 0);
}

#[tokio::test]
async fn an_unreachable_server_is_unavailable_and_the_cause_is_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let service = PusherService::builder().url(&url).user("ada", "token").build().unwrap();
    let error = service.init().await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Unavailable);
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    assert!(causes.any(|cause| cause.to_string().contains("refused")), "{error:?}");
}
