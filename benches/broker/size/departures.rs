use std::time::Duration;

use black_box_support::Webhooks;
use pusher_signer::WebhookEvent;
use tokio::time::{sleep, timeout};

use super::settings::broker_with_webhooks;
use crate::goal::{Goal, print};
use crate::peers::signer;
use crate::subscriber::Subscriber;

/// Longer than the grace period of departures.
const QUIET: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(120);

/// Drops many connections at once, each with channels of its own.
pub(crate) async fn run(full: bool) {
    let (connections, channels) = if full { (300, 50) } else { (10, 5) };
    let webhooks = Webhooks::start(signer(), None).await;
    let server = broker_with_webhooks(&webhooks);
    let expected = connections * channels;
    let is_occupied = |event: &WebhookEvent| matches!(event, WebhookEvent::ChannelOccupied { .. });
    let (mut subscribers, mut occupied) = (Vec::new(), 0);
    for number in 0..connections {
        let mut subscriber = Subscriber::open(server.address).await;
        let names: Vec<String> = (0..channels).map(|channel| format!("c-{number}-{channel}")).collect();
        subscriber.subscribe_to_all(&names).await;
        subscribers.push(subscriber);
        // The queue of a receiver that is slower than this is bounded, as it should be.
        if number % 20 == 19 || number + 1 == connections {
            occupied = reported(&webhooks, subscribers.len() * channels, is_occupied).await;
        }
    }
    drop(subscribers);
    let vacated = reported(&webhooks, expected, |event| matches!(event, WebhookEvent::ChannelVacated { .. }));
    println!("{connections} connections with {channels} channels each end at once");
    print("channel_occupied", occupied as f64, "webhooks");
    Goal::AtLeast(expected as f64).print("channel_vacated", vacated.await as f64, "webhooks");
}

/// Waits until `expected` such events have arrived, or none arrives any more. Returns the number.
async fn reported(webhooks: &Webhooks, expected: usize, is_such: impl Fn(&WebhookEvent) -> bool) -> usize {
    let count = || webhooks.events().iter().filter(|(_, event)| is_such(event)).count();
    let arriving = async {
        let (mut last, mut quiet) = (0, Duration::ZERO);
        while last < expected && quiet < QUIET {
            sleep(Duration::from_millis(100)).await;
            let now = count();
            quiet = if now == last { quiet + Duration::from_millis(100) } else { Duration::ZERO };
            last = now;
        }
    };
    let _ = timeout(PATIENCE, arriving).await;
    count()
}
