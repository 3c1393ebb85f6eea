use std::time::{Duration, Instant};

use black_box_support::Webhooks;
use pusher_signer::WebhookEvent;
use tokio::time::sleep;

use super::settings::broker_with_webhooks;
use crate::goal::Goal;
use crate::peers::signer;
use crate::subscriber::Subscriber;

/// How long to wait for a webhook; later counts as never.
const PATIENCE: Duration = Duration::from_secs(20);
const REFUSED: &str = "refused";

/// Occupies channels one after another while the destination refuses the first webhook.
pub(crate) async fn run(full: bool) {
    let channels = if full { 50 } else { 2 };
    let webhooks = Webhooks::start(signer(), Some(REFUSED)).await;
    let server = broker_with_webhooks(&webhooks);
    let mut subscriber = Subscriber::connect(server.address, REFUSED).await;
    // Until the refusal is on its way, a batch of both would be refused.
    sleep(Duration::from_millis(500)).await;
    let (mut latest, patience) = (Duration::ZERO, if full { PATIENCE } else { Duration::from_secs(1) });
    for number in 0..channels {
        let (name, started) = (format!("later-{number}"), Instant::now());
        subscriber.subscribe(&name).await;
        while !is_reported(&webhooks, &name) && started.elapsed() < patience {
            sleep(Duration::from_millis(5)).await;
        }
        latest = latest.max(started.elapsed());
        if latest >= patience {
            break;
        }
    }
    println!("one webhook is refused again and again, {channels} come later");
    Goal::AtMost(1.0).print("the latest of those", seconds(latest, patience), "s");
}

fn seconds(latest: Duration, patience: Duration) -> f64 {
    if latest < patience { latest.as_secs_f64() } else { f64::INFINITY }
}

fn is_reported(webhooks: &Webhooks, name: &str) -> bool {
    let mut events = webhooks.events();
    let found = events
        .iter()
        .any(|(_, event)| matches!(event, WebhookEvent::ChannelOccupied { channel } if channel == name));
    if found {
        events.clear();
    }
    found
}
