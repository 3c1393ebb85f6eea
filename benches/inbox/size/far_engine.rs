use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use super::bystander::seconds_until;
use super::engine::Engine;
use crate::goal::{Goal, print};
use crate::measure::Times;
use crate::setup::{Database, Served};

/// Publishes through an engine that is far away, and through one that fails for one channel.
pub(crate) async fn run(database: &Database, full: bool) {
    far(database, if full { 10_000 } else { 200 }).await;
    failing_for_one(database, if full { 40 } else { 3 }).await;
}

/// Pushes to many users, and to one more behind them.
async fn far(database: &Database, users: usize) {
    let engine = Engine::start(Duration::from_millis(50), None).await;
    let served = serve(database, &engine).await;
    let names: Vec<String> = (0..users).map(|number| format!("user-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let started = Instant::now();
    push(&served, &names).await;
    let answered = Instant::now();
    push(&served, &["behind"]).await;
    let behind = Instant::now();
    seconds_until(async || engine.channels() > users).await;
    let all = answered.elapsed().as_secs_f64();
    let behind = engine.accepted("private-behind").map_or(f64::INFINITY, |at| (at - behind).as_secs_f64());
    println!("{}: one push to {users} users, the engine 50 ms away", database.name());
    print("until the push is acknowledged", (answered - started).as_secs_f64(), "s");
    Goal::AtMost(6.0).print("from then until all are published", all, "s");
    Goal::AtMost(1.0).print("a push to one user right behind it", behind, "s");
    served.stop().await;
}

/// Pushes to one user after another while the engine fails for another user's channel.
async fn failing_for_one(database: &Database, pushes: usize) {
    let engine = Engine::start(Duration::from_millis(5), Some("private-failing".to_owned())).await;
    let served = serve(database, &engine).await;
    push(&served, &["failing"]).await;
    let mut times = Vec::new();
    for number in 0..pushes {
        let user = format!("user-{number}");
        push(&served, &[&user]).await;
        let (acknowledged, channel) = (Instant::now(), format!("private-{user}"));
        while engine.accepted(&channel).is_none() && acknowledged.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(1)).await;
        }
        times.push(acknowledged.elapsed());
        sleep(Duration::from_millis(20)).await;
    }
    let times = Times::new(times);
    println!("{}: the engine answers 503 for one channel", database.name());
    print("others, until published, p50", times.percentile(50) / 1e3, "ms");
    Goal::AtMost(1_000.0).print("others, until published, p95", times.percentile(95) / 1e3, "ms");
    served.stop().await;
}

async fn serve(database: &Database, engine: &Engine) -> Served {
    let variables = engine.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    database.serve_with(&variables).await
}

async fn push(served: &Served, users: &[&str]) {
    assert!(served.caller().push(users, &json!({"content": "A parcel has come"})).await.unwrap());
}
