use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pusher_client::Trigger;
use rand::RngExt;
use tokio::time::sleep;

use crate::Failure;
use crate::world::{World, feed_name};

pub(crate) const PUBLISHERS: u64 = 3;
const PERIOD: Duration = Duration::from_millis(150);

/// Publishes numbered events on the feeds until it is stopped. Returns the accepted ones of each
/// feed, in order. The remainder of a number by [`PUBLISHERS`] is its publisher.
pub(crate) async fn publish(
    world: Arc<World>,
    publisher: u64,
    is_stopped: Arc<AtomicBool>,
) -> Result<HashMap<usize, Vec<u64>>, Failure> {
    let (api, mut accepted, mut number) = (world.api()?, HashMap::<usize, Vec<u64>>::new(), publisher);
    while !is_stopped.load(Ordering::Relaxed) {
        let feed = rand::rng().random_range(0..world.feeds);
        match api.trigger(&Trigger::new([feed_name(feed)], "news", number.to_string())?).await {
            Ok(_) => accepted.entry(feed).or_default().push(number),
            Err(error) => world.find(&format!("an event was not accepted: {error}")),
        }
        number += PUBLISHERS;
        sleep(PERIOD).await;
    }
    Ok(accepted)
}
