use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::*;

/// Serves the broker with `axum::serve` on a free port.
async fn serve(broker: &pusher_broker::Broker) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = broker.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn connect_tcp(address: std::net::SocketAddr) -> Client<TcpStream> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (ws, _) = tokio_tungstenite::client_async(format!("ws://{address}{APP}"), stream).await.unwrap();
    establish(ws).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_clients_see_the_events_of_two_publishers_in_one_order() {
    let broker = broker_with(|limits| limits.send_queue = 1_000);
    let address = serve(&broker).await;
    let mut readers = Vec::new();
    for _ in 0..100 {
        let mut client = connect_tcp(address).await;
        client.subscribe("private-news").await;
        readers.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            for _ in 0..200 {
                seen.push(client.next().await["data"].as_str().unwrap().to_owned());
            }
            seen
        }));
    }
    let publishers = ["a", "b"].map(|publisher| {
        let broker = broker.clone();
        tokio::task::spawn_blocking(move || {
            for n in 0..100 {
                assert_eq!(publish(&broker, "private-news", "e", &format!("{publisher}{n}")), 100);
            }
        })
    });
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut first = None;
    for reader in readers {
        let seen = reader.await.unwrap();
        assert_eq!(&seen, first.get_or_insert_with(|| seen.clone()));
    }
    broker.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_frame_arrives_despite_unread_bytes() {
    let broker = broker();
    let mut client = connect_tcp(serve(&broker).await).await;
    client.subscribe("news").await;
    // Too long for the broker, but small enough for the kernel's buffers, so that it is sent whole.
    client.send_raw(Message::text("a".repeat(60_000))).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_is_removed() {
    let broker = broker();
    let address = serve(&broker).await;
    let mut client = connect_tcp(address).await;
    client.subscribe("news").await;
    client.send(json!({"event": "pusher:ping"})).await;
    drop(client);
    while broker.connections() > 0 {
        tokio::task::yield_now().await;
    }
}
