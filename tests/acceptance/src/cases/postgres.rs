use crate::support::binary::run;
use crate::support::broker::Broker;
use crate::support::inbox::converges;
use crate::support::server::Server;
use crate::support::tail::Tail;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::env;

/// A database of its own in the PostgreSQL of `TEST_POSTGRES_URL`; dropped at the end.
struct Database {
    maintenance: String,
    name: String,
}

impl Database {
    /// None, and a word about it, where there is no PostgreSQL.
    async fn new() -> Option<Self> {
        let Ok(maintenance) = env::var("TEST_POSTGRES_URL") else {
            assert_ne!(env::var("ACCEPTANCE_ALL").as_deref(), Ok("1"), "TEST_POSTGRES_URL is missing");
            println!("skipped: it needs a PostgreSQL database, TEST_POSTGRES_URL=postgres://…");
            return None;
        };
        let unique = tempfile::Builder::new().prefix("").rand_bytes(12).tempdir().unwrap();
        let name = format!("acceptance_{}", unique.path().file_name()?.to_str()?.to_lowercase());
        let this = Self { maintenance, name };
        this.run(&format!("CREATE DATABASE {}", this.name)).await;
        Some(this)
    }

    async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.maintenance).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }

    fn url(&self) -> String {
        let (head, parameters) = match self.maintenance.split_once('?') {
            Some((head, parameters)) => (head, format!("?{parameters}")),
            None => (self.maintenance.as_str(), String::new()),
        };
        let (server, _) = head.rsplit_once('/').unwrap();
        format!("{server}/{}{parameters}", self.name)
    }

    async fn drop(self) {
        self.run(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pushed_is_delivered_and_outlives_a_kill() {
    let Some(database) = Database::new().await else { return };
    let mut server = Server::start_on(&database.url(), &[]).await;
    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    let mut tail = Tail::of("ada", &server.url());
    tail.live().await;
    for number in 0..20 {
        assert!(
            shop.push(&["ada", "bob"], &json!({"id": format!("n-{number}"), "content": "c"})).await.unwrap()
        );
    }
    converges(&mut tail, &mut ada).await;
    server.kill().await;
    server.start_again().await;
    let (mut ada, mut shop) = (server.user("ada"), server.backend());
    assert!(shop.push(&["ada"], &json!({"id": "after", "content": "c"})).await.unwrap());
    let inbox = converges(&mut tail, &mut ada).await;
    assert_eq!((inbox.ids().len(), inbox.pending), (21, 21));
    let ids: Vec<String> = inbox.ids().into_iter().map(str::to_owned).collect();
    tail.view().had_each_once(&ids);
    assert_eq!(tail.view().resets, 0);
    server.stop().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_embedded_broker_on_the_same_database_refuses_and_harms_nothing() {
    let Some(database) = Database::new().await else { return };
    let server = Server::start_on(&database.url(), &[]).await;
    let ran = run(&["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database.url()], &[]);
    assert!(ran.refused(1).contains("another server"), "{}", ran.stderr);
    assert!(server.backend().push(&["ada"], &json!({"content": "c"})).await.unwrap());
    assert_eq!(server.user("ada").get("/v1/inbox").await.with(200)["pending"], 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_and_one_engine_are_one() {
    let Some(database) = Database::new().await else { return };
    let broker = Broker::start().await;
    let (one, two) = (broker.server_on(&database.url()).await, broker.server_on(&database.url()).await);
    let mut tail = Tail::of("ada", &one.url());
    tail.live().await;
    for number in 0..10 {
        for server in [&one, &two] {
            let id = format!("{number} by {}", server.address);
            assert!(server.backend().push(&["ada"], &json!({"id": id, "content": "c"})).await.unwrap());
        }
    }
    // The position check is a minute away: only events can tell.
    let inbox = converges(&mut tail, &mut two.user("ada")).await;
    assert_eq!(inbox.pending, 20);
    database.drop().await;
}
