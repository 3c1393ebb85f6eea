use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use pusher_broker::{Broker, Limits};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::*;

fn broker_for(connections_per_address: usize) -> Broker {
    let mut limits = Limits::default();
    limits.connections_per_address = Some(connections_per_address);
    builder().limits(limits).trusted_proxy("203.0.113.0/24".parse().unwrap()).build()
}

type Opened = Result<WebSocketStream<DuplexStream>, tokio_tungstenite::tungstenite::Error>;

/// Opens a connection that comes from this address, perhaps through a proxy.
async fn open_from(broker: &Broker, peer: &str, forwarded_for: Option<&str>) -> Opened {
    let peer = SocketAddr::new(peer.parse().unwrap(), 4711);
    let (ours, theirs) = tokio::io::duplex(1024);
    let router = broker.router().layer(axum::Extension(ConnectInfo(peer)));
    tokio::spawn(async move {
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(theirs), TowerToHyperService::new(router));
        let _ = connection.with_upgrades().await;
    });
    let mut request = format!("ws://broker{APP}").into_client_request().unwrap();
    if let Some(forwarded_for) = forwarded_for {
        request.headers_mut().insert("x-forwarded-for", forwarded_for.parse().unwrap());
    }
    Ok(tokio_tungstenite::client_async(request, ours).await?.0)
}

async fn connect_from(broker: &Broker, peer: &str, forwarded_for: Option<&str>) -> Client {
    establish(open_from(broker, peer, forwarded_for).await.unwrap()).await
}

#[tokio::test]
async fn a_connection_beyond_the_limit_of_its_address_is_closed_with_4100_and_others_are_not() {
    let broker = broker_for(2);
    let _first = connect_from(&broker, "198.51.100.1", None).await;
    let second = connect_from(&broker, "198.51.100.1", Some("192.0.2.1")).await;
    let mut third = open_from(&broker, "198.51.100.1", None).await.unwrap();
    assert_eq!(close_code(&mut third).await, 4100);
    let metrics = broker.metrics();
    assert_eq!((metrics.full_addresses, metrics.turned_away), (1, 0));
    let _other = connect_from(&broker, "198.51.100.2", None).await;

    drop((second, third));
    // Both connections' tasks may still be ending.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    connect_from(&broker, "198.51.100.1", None).await;
}

#[tokio::test]
async fn a_network_of_64_bits_counts_as_one_address() {
    let broker = broker_for(1);
    let _first = connect_from(&broker, "2001:db8:0:1::1", None).await;
    let mut second = open_from(&broker, "2001:db8:0:1:ffff::2", None).await.unwrap();
    assert_eq!(close_code(&mut second).await, 4100);
    connect_from(&broker, "2001:db8:0:2::1", None).await;
}

#[tokio::test]
async fn clients_of_a_trusted_proxy_are_counted_apart() {
    let broker = broker_for(1);
    let _first = connect_from(&broker, "203.0.113.7", Some("192.0.2.1")).await;
    let _second = connect_from(&broker, "203.0.113.7", Some("192.0.2.1, 192.0.2.2")).await;
    let mut third = open_from(&broker, "203.0.113.8", Some("192.0.2.9, 192.0.2.1")).await.unwrap();
    assert_eq!(close_code(&mut third).await, 4100);
}

#[tokio::test]
async fn loopback_and_private_peers_are_not_counted() {
    let broker = broker_for(1);
    let mut clients = Vec::new();
    for peer in ["127.0.0.1", "127.0.0.1", "10.0.0.1", "10.0.0.1"] {
        clients.push(connect_from(&broker, peer, None).await);
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_cannot_take_the_room_with_rejected_connections_either() {
    let broker = broker_for(1);
    let mut opened = vec![open_from(&broker, "198.51.100.1", None).await.unwrap()];
    for _ in 0..64 {
        opened.push(open_from(&broker, "198.51.100.1", None).await.unwrap());
    }
    let refused = open_from(&broker, "198.51.100.1", None).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    assert_eq!(broker.metrics().full_addresses, 65);
}
