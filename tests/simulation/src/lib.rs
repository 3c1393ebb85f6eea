//! The real Pusher service, client, router, broker, dispatcher and upkeep on a simulated network and clock, with a store whose commits survive
//! crashes. A seed decides what is pushed and what breaks; the same seed gives the same run.

#![allow(clippy::indexing_slicing, reason = "a simulation fails by panicking")]

mod align;
mod backend;
mod bug;
mod check;
mod clock;
mod device;
mod intents;
mod network;
mod plan;
mod planted;
mod recorder;
mod run;
mod server;
mod trace;
mod world;

pub use bug::Bug;
pub use run::{Outcome, run};
