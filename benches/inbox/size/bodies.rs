use std::time::Instant;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Duration, sleep};

use super::bystander::seconds_until;
use crate::goal::{Goal, print};
use crate::setup::{Database, Served, series};

const SECONDS: u64 = 10;

/// Collects the bodies of notifications that no inbox holds any more, compared with how many
/// bodies concurrent backends create.
pub(crate) async fn run(database: &Database, full: bool) {
    let (bodies, pushers) = if full { (200_000, 64) } else { (500, 4) };
    let created = created(database, pushers, if full { 5 } else { 1 }).await;

    let served = database.serve().await;
    let sql = format!(
        "INSERT INTO notifications (id, sender, digest, body, created_at)
         {} SELECT 'n-' || n, 'key:bench', CAST('0' AS {}), '{{\"content\":\"A parcel has come\"}}', 1 FROM s",
        series(bodies),
        served.blob()
    );
    let interval = if full { SECONDS } else { 1 };
    let served =
        served.refilled(&sql, &[("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", &interval.to_string())]).await;
    sleep(Duration::from_secs(interval)).await;
    let seconds =
        seconds_until(async || served.number("SELECT count(*) FROM notifications").await == 0).await;
    let left = served.number("SELECT count(*) FROM notifications").await;
    let rate = (bodies as f64 - left as f64) / seconds.min(120.0);
    println!("{}: {bodies} bodies that no inbox holds, a pass every {interval} s", database.name());
    print("bodies created by concurrent backends", created, "/s");
    print("bodies collected", rate, "/s");
    print("until all are collected", seconds, "s");
    Goal::AtLeast(1.0).print("collected to created", rate / created, "×");
    served.stop().await;
}

/// Returns how many bodies concurrent backends create in a second.
async fn created(database: &Database, pushers: usize, seconds: u64) -> f64 {
    let served = database.serve().await;
    let (started, time) = (Instant::now(), Duration::from_secs(seconds));
    let pushes = join_all((0..pushers).map(|number| pushes(&served, number, started + time))).await;
    let rate = pushes.into_iter().sum::<usize>() as f64 / started.elapsed().as_secs_f64();
    served.stop().await;
    rate
}

async fn pushes(served: &Served, number: usize, end: Instant) -> usize {
    let (mut backend, mut pushes) = (served.caller(), 0);
    let user = format!("user-{number}");
    while Instant::now() < end {
        assert!(backend.push(&[&user], &json!({"content": "A parcel has come"})).await.unwrap());
        pushes += 1;
    }
    pushes
}
