use std::time::Duration;

use internal_notifications_models::UserId;
use internal_notifications_server::config::ApiKey;
use internal_notifications_server::{Config, Server};
use internal_notifications_testkit::server::Proxy;
use serde_json::json;
use tokio::time::Instant;

use crate::schema::Schema;

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_answers_503_while_postgresql_is_unreachable_and_then_recovers() {
    let Some(schema) = Schema::new() else { return };
    let proxy = Proxy::start(schema.address().await).await.unwrap();
    // The test needs its own database: servers of one database share a schema and its broker lock.
    schema.sql(&format!("CREATE DATABASE {}", schema.name)).await;
    let database = schema.through(proxy.address(), &schema.name);
    let mut config = Config::from_env(|name| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.clone()),
        _ => None,
    })
    .unwrap();
    let key = "an-api-key-of-thirty-two-bytes-or-so";
    config.auth.api_keys.push(ApiKey::new("shop", key).unwrap());
    let server = Server::start(config).await.unwrap();
    let http = pusher_client::Roots::new().http_client("127.0.0.1").unwrap().build().unwrap();
    let url = server.url();
    let token = server.token(&UserId::new("ada").unwrap(), HOUR, false).unwrap();
    let push = async || {
        let body = json!({"user_ids": ["ada"], "notification": {"content": "c"}});
        let request = http.post(format!("{url}/v1/notifications")).bearer_auth(key).json(&body);
        request.send().await.unwrap().status().as_u16()
    };
    let read = async || {
        http.get(format!("{url}/v1/inbox")).bearer_auth(&token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((push().await / 100, read().await), (2, 200));
    proxy.slow(HOUR);
    let begun = Instant::now();
    assert_eq!(tokio::join!(push(), read()), (503, 503));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    proxy.mend();
    assert_eq!((push().await / 100, read().await), (2, 200));
    server.shutdown().await;
    schema.sql(&format!("DROP DATABASE {} WITH (FORCE)", schema.name)).await;
}
