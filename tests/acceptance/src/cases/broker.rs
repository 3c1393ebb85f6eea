use crate::support::broker::Broker;
use crate::support::inbox::converge;
use crate::support::server::{APP_KEY, APP_SECRET, TIMEOUT};
use crate::support::tail::Tail;
use futures_util::StreamExt;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_delivers_through_a_broker_and_clients_reconnect_after_the_broker_was_killed() {
    let mut broker = Broker::start().await;
    let server = broker.server().await;
    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    let offline = tail.view().offline;
    // More than one batch of ten.
    for number in 0..25 {
        assert!(shop.push(&["ada"], &json!({"id": format!("live-{number}"), "content": "c"})).await.unwrap());
    }
    // The next position check is a minute away, so only live events can deliver.
    converge(&mut tail, &mut ada).await;
    assert_eq!(tail.view().offline, offline);

    broker.kill().await;
    tail.until("cut off", |view| view.offline > offline).await;
    for number in 0..25 {
        let missed = json!({"id": format!("missed-{number}"), "content": "c"});
        assert!(shop.push(&["ada"], &missed).await.unwrap(), "a push must be stored without an engine");
    }
    broker.restart().await;
    let inbox = converge(&mut tail, &mut ada).await;
    assert_eq!((inbox.ids().len(), inbox.pending), (50, 50));
    tail.live().await;
    assert!(shop.push(&["ada"], &json!({"id": "live again", "content": "c"})).await.unwrap());
    converge(&mut tail, &mut ada).await;

    let ids: Vec<String> = inbox.ids().into_iter().map(str::to_owned).collect();
    tail.view().assert_added_once(&ids);
    assert_eq!(tail.view().resets, 0);
    assert!(!broker.output().contains(APP_SECRET), "a secret was logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_broker_each_deliver_to_their_own_clients() {
    let broker = Broker::start().await;
    let (one, two) = (broker.server().await, broker.server().await);
    for (server, user) in [(&one, "ada"), (&two, "bob")] {
        let mut tail = Tail::start(user, &server.url());
        tail.live().await;
        assert!(server.backend().push(&[user], &json!({"content": "c"})).await.unwrap());
        converge(&mut tail, &mut server.user(user)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminated_broker_closes_its_connections_with_4200() {
    let mut broker = Broker::start().await;
    let url = format!("ws://{}/app/{APP_KEY}?protocol=7", broker.address);
    let stream = TcpStream::connect(broker.address).await.unwrap();
    let (mut socket, _) = client_async(url, stream).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    let closed = tokio::spawn(async move {
        match tokio::time::timeout(TIMEOUT, socket.next()).await {
            Ok(Some(Ok(Message::Close(Some(frame))))) => u16::from(frame.code),
            other => panic!("no close frame: {other:?}"),
        }
    });
    broker.stop().await;
    assert_eq!(closed.await.unwrap(), 4200);
}
