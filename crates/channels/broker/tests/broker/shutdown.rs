use std::time::Duration;

use http_body_util::Full;
use hyper::Request;
use tokio::time::Instant;

use crate::support::*;

#[tokio::test(start_paused = true)]
async fn shutdown_closes_every_connection_with_4200_and_rejects_new_ones() {
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

#[tokio::test(start_paused = true)]
async fn events_published_before_a_shutdown_arrive_before_the_close() {
    let broker = broker();
    let mut client = connect(&broker).await;
    client.subscribe("news").await;
    // More than fits into the stream of a client that has not read yet.
    for n in 0..100 {
        publish(&broker, "news", "e", &format!("{n}{}", ".".repeat(1_000)));
    }
    let reading = async {
        for n in 0..100 {
            let data = client.next().await["data"].as_str().unwrap().to_owned();
            assert_eq!(data.trim_end_matches('.'), n.to_string());
        }
        let code = client.close_code().await;
        while futures_util::StreamExt::next(&mut client.ws).await.is_some() {}
        code
    };
    let (code, ()) = tokio::join!(reading, broker.shutdown());
    assert_eq!(code, 4200);
    assert_eq!(broker.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_does_not_delay_a_shutdown() {
    let broker = broker();
    let mut stuck = connect(&broker).await;
    stuck.subscribe("news").await;
    for _ in 0..100 {
        publish(&broker, "news", "e", &"a".repeat(10_000));
    }
    let start = Instant::now();
    broker.shutdown().await;
    assert_eq!(start.elapsed().as_secs(), 4);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(broker.connections(), 0);
}
