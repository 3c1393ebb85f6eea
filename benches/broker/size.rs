//! Cases of the size at which a broker that serves small tests well loses events, stalls, or keeps
//! memory.

mod cache;
mod channels;
mod departures;
mod frames;
mod neighbour;
mod presence;
mod refused;
mod restart;
mod settings;
mod writes;

use crate::arguments::Arguments;
use crate::peers::Peer;
pub(crate) use settings::{EVENT_DATA, WEBHOOKS};

/// Runs the selected cases.
pub(crate) async fn run(peers: &[Peer], arguments: &Arguments) {
    let full = arguments.is_bench_run();
    let selects = |name| arguments.selects("size") || arguments.selects(name);
    if selects("size-departures") {
        departures::run(full).await;
    }
    if selects("size-refused") {
        refused::run(full).await;
    }
    if selects("size-restart") {
        restart::run(peers, full).await;
    }
    if selects("size-frames") {
        frames::run(peers, full).await;
    }
    if selects("size-channels") {
        channels::run(full).await;
    }
    if selects("size-presence") {
        presence::run(full).await;
    }
    if selects("size-writes") {
        writes::run(peers, full).await;
    }
    if selects("size-cache") {
        cache::run(full).await;
    }
}
