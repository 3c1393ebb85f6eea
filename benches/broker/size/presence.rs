use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{sleep_until, timeout};

use super::neighbour::beside;
use crate::goal::{Goal, print};
use crate::peers::Peer;
use crate::subscriber::Subscriber;

const ROOM: usize = 100;
const CHANNEL: &str = "presence-room";
/// Members that come and go.
const CHANGING: usize = 20;
/// Changes a second: each join and each departure is one.
const RATE: u64 = 2_000;

/// Lets members of a large presence channel come and go while a neighbour gets events.
pub(crate) async fn run(full: bool) {
    let time = if full { Duration::from_secs(5) } else { Duration::from_millis(50) };
    let server = Peer::Broker.start();
    let mut members = Vec::new();
    for number in 0..ROOM - CHANGING {
        let mut subscriber = Subscriber::open(server.address).await;
        subscriber.join(CHANNEL, &member(number)).await;
        members.push(tokio::spawn(subscriber.drain()));
    }
    let changing = join_all((0..CHANGING).map(|_| Subscriber::open(server.address))).await;
    let started = Instant::now();
    let coming_and_going = changing.into_iter().enumerate().map(async |(number, mut subscriber)| {
        let (member, mut changes) = (member(ROOM + number), 0);
        let period = Duration::from_secs(2 * CHANGING as u64) / u32::try_from(RATE).unwrap();
        let mut next = tokio::time::Instant::now();
        // The requests of one connection are limited.
        let limit = started + time;
        while Instant::now() < limit && changes < 2 * LIMIT {
            subscriber.join(CHANNEL, &member).await;
            subscriber.leave(CHANNEL).await;
            changes += 2;
            next += period;
            sleep_until(next).await;
        }
        changes
    });
    let work = async { timeout(time + Duration::from_secs(60), join_all(coming_and_going)).await };
    let (changes, latencies) = beside(server.address, work).await;
    let changes: usize = changes.unwrap().into_iter().sum();
    println!("a presence channel of {ROOM}, 900 bytes a member, {RATE} changes a second offered");
    print("changes", changes as f64 / started.elapsed().as_secs_f64(), "/s");
    print("a neighbour's events beside it: p50", latencies.percentile(50), "ms");
    Goal::AtMost(5.0).print("p99", latencies.percentile(99), "ms");
    members.iter().for_each(tokio::task::JoinHandle::abort);
}

/// The subscriptions that one connection may request within ten seconds.
const LIMIT: usize = 490;

/// Returns the channel data of a member, with information of about 900 bytes.
pub(super) fn member(number: usize) -> String {
    json!({"user_id": format!("user-{number}"), "user_info": {"about": "x".repeat(880)}}).to_string()
}
