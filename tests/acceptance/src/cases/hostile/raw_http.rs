use crate::support::server::{API_KEY, TIMEOUT};
use crate::support::target::Target;
use std::io::ErrorKind::ConnectionReset;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Sends these bytes, shuts the connection's write side, and returns the server's answer.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    read_to_end(&mut stream).await
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    match timeout(TIMEOUT, stream.read_to_end(&mut answer)).await.expect("the server ends the connection") {
        Ok(_) => {}
        Err(error) if error.kind() == ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_http_is_rejected_or_dropped() {
    let mut target = Target::start().await;
    let body = r#"{"user_ids":["ada"],"notification":{"content":"smuggled"}}"#;
    let push = |framing: &str, body: &str| {
        format!("POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {API_KEY}\r\n{framing}\r\n\r\n{body}").into_bytes()
    };
    let get =
        |head: &str| format!("GET /v1/inbox HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n").into_bytes();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "400"),
        ("NUL", vec![0; 4096], "400"),
        ("a request line alone", b"GET /v1/inbox HTTP/1.1\r\n".to_vec(), ""),
        ("half a head", b"GET /v1/inbox HTTP/1.1\r\nhost: loc".to_vec(), ""),
        ("no version", b"GET /v1/inbox\r\n\r\n".to_vec(), "400"),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), ""),
        ("HTTP/3.7", b"GET /v1/inbox HTTP/3.7\r\nhost: localhost\r\n\r\n".to_vec(), "400"),
        ("a space in the path", b"GET /v1/in box HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), "400"),
        ("a NUL in a header", get("x: a\0b"), "400"),
        ("a space in a header's name", get("x y: z"), "400"),
        ("a header without a colon", get("x"), "400"),
        ("a folded header", get("x: a\r\n b"), "400"),
        ("a head of 40 KB", get(&format!("x: {}", "a".repeat(40_000))), "431"),
        ("300 headers", get(&["x: y"; 300].join("\r\n")), "431"),
        ("two lengths", push("content-length: 3\r\ncontent-length: 58", body), "400"),
        ("a length below zero", push("content-length: -1", body), "400"),
        ("a length that is no number", push("content-length: 0x3a", body), "400"),
        ("a length too large", push("content-length: 99999999999999999999999", body), "400"),
        ("less than its length", push("content-length: 4000", body), ""),
        (
            "a chunk that is no number",
            push("transfer-encoding: chunked", &format!("zz\r\n{body}\r\n0\r\n\r\n")),
            "400",
        ),
        (
            "a chunk too large",
            push("transfer-encoding: chunked", &format!("fffffffffffffffff\r\n{body}")),
            "400",
        ),
        ("a chunk that is cut", push("transfer-encoding: chunked", &format!("ff\r\n{body}")), ""),
        ("an unknown encoding", push("transfer-encoding: gzip", body), "400"),
    ];
    for (what, bytes, status) in cases {
        let answer = exchange(target.server.address, &bytes).await;
        // An incomplete request may be rejected as well as dropped.
        let is_rejected = answer.starts_with("HTTP/1.1 400 ");
        let right = if status.is_empty() {
            answer.is_empty() || is_rejected
        } else {
            answer.starts_with(&format!("HTTP/1.1 {status} "))
        };
        target.check(what, (!right).then(|| format!("{answer:?} instead of {status}")));
    }
    target.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_request_heads_are_dropped_in_time_and_delay_nobody() {
    let target = Target::start().await;
    let started = Instant::now();
    let mut slow = tokio::task::JoinSet::new();
    for (number, address) in std::iter::repeat_n(target.server.address, 40).enumerate() {
        slow.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let mut rest = b"GET /v1/inbox HTTP/1.1\r\nhost: localhost\r\nx-slow: "
                .iter()
                .chain(std::iter::repeat(&b'a'));
            if number % 4 == 0 {
                // Sends nothing at all.
                return read_to_end(&mut stream).await;
            }
            loop {
                let mut byte = [0];
                // Send a byte each quarter of a second until the server hangs up.
                match timeout(Duration::from_millis(250), stream.read(&mut byte)).await {
                    Ok(Ok(0) | Err(_)) => return String::new(),
                    Ok(Ok(_)) => return read_to_end(&mut stream).await,
                    Err(_) => drop(stream.write_all(&[*rest.next().unwrap()]).await),
                }
            }
        });
    }
    let mut ada = target.server.user("ada");
    while let Some(dropped) = slow.join_next().await {
        let answer = dropped.unwrap();
        assert!(!answer.contains("200 OK"), "{answer}");
        let start = Instant::now();
        ada.get("/v1/inbox").await.with(200);
        assert!(start.elapsed() < Duration::from_secs(2), "others waited {:?}", start.elapsed());
    }
    let dropped_after = started.elapsed().as_secs();
    assert!((9..20).contains(&dropped_after), "after {dropped_after} s");
    target.assert_unharmed().await;
}
