use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use tokio::time::Instant;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn shutdown_closes_every_connection_with_4200_and_refuses_new_ones() {
    let broker = broker();
    let mut clients = [connect(&broker).await, connect(&broker).await];
    clients[0].subscribe("news").await;
    let reading = tokio::spawn(async move {
        let mut codes = Vec::new();
        for client in &mut clients {
            codes.push(client.close_code().await);
            while futures_util::StreamExt::next(&mut client.ws).await.is_some() {}
        }
        codes
    });
    let start = Instant::now();
    broker.shutdown().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(reading.await.unwrap(), [4200, 4200]);
    assert_eq!(broker.connections(), 0);

    let mut sender = http_client(&broker).await;
    let request = Request::get(APP)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(Full::default())
        .unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 503);
    let body = r#"{"name":"e","channel":"news","data":""}"#;
    assert_eq!(post(&broker, "/apps/3/events", body).await.0, 503);
}

#[tokio::test(start_paused = true)]
async fn shutdown_does_not_wait_for_clients_that_do_not_answer() {
    let broker = broker();
    let _silent = connect(&broker).await;
    let mut stuck = connect(&broker).await;
    stuck.subscribe("news").await;
    publish(&broker, "news", "e", &"a".repeat(10_000));
    let start = Instant::now();
    broker.shutdown().await;
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(broker.connections(), 0);
}
