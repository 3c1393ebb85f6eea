use crate::support::binary::run;
use crate::support::broker::Broker;
use crate::support::inbox::converge;
use crate::support::postgres::Database;
use crate::support::server::Server;
use crate::support::tail::Tail;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn pushes_are_delivered_and_survive_a_kill() {
    let Some(database) = Database::create().await else { return };
    let mut server = Server::start_on(&database.url(), &[]).await;
    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    let mut tail = Tail::start("ada", &server.url());
    tail.live().await;
    for number in 0..20 {
        assert!(
            shop.push(&["ada", "bob"], &json!({"id": format!("n-{number}"), "content": "c"})).await.unwrap()
        );
    }
    converge(&mut tail, &mut ada).await;
    server.kill().await;
    server.restart().await;
    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    assert!(shop.push(&["ada"], &json!({"id": "after", "content": "c"})).await.unwrap());
    let inbox = converge(&mut tail, &mut ada).await;
    assert_eq!((inbox.ids().len(), inbox.pending), (21, 21));
    let ids: Vec<String> = inbox.ids().into_iter().map(str::to_owned).collect();
    tail.view().assert_added_once(&ids);
    assert_eq!(tail.view().resets, 0);
    server.stop().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_with_an_embedded_broker_refuses_to_start_on_the_same_database() {
    let Some(database) = Database::create().await else { return };
    let server = Server::start_on(&database.url(), &[]).await;
    let output = run(&["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database.url()], &[]);
    assert!(output.failed(1).contains("another server"), "{}", output.stderr);
    assert!(server.backend().push(&["ada"], &json!({"content": "c"})).await.unwrap());
    assert_eq!(server.user("ada").get("/v1/inbox").await.with(200)["pending"], 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_and_one_engine_act_as_one() {
    let Some(database) = Database::create().await else { return };
    let broker = Broker::start().await;
    let (one, two) = (broker.server_on(&database.url()).await, broker.server_on(&database.url()).await);
    let mut tail = Tail::start("ada", &one.url());
    tail.live().await;
    for number in 0..10 {
        for server in [&one, &two] {
            let id = format!("{number} by {}", server.address);
            assert!(server.backend().push(&["ada"], &json!({"id": id, "content": "c"})).await.unwrap());
        }
    }
    // The next position check is a minute away, so only live events can deliver.
    let inbox = converge(&mut tail, &mut two.user("ada")).await;
    assert_eq!(inbox.pending, 20);
    database.drop().await;
}
