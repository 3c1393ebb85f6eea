//! Simulates everything on one network: the real Pusher service, client, router, broker, dispatcher
//! and upkeep run on a simulated network and clock, over a store whose commits survive crashes. A
//! seed decides the pushes and the faults. The same seed gives the same run.

#![allow(clippy::indexing_slicing, reason = "a simulation fails by panicking")]

mod backend;
mod bug;
mod check;
mod clock;
mod device;
mod device_storage;
mod faulty_stores;
mod intents;
mod network;
mod plan;
mod recorder;
mod run;
mod server;
mod task_ids;
mod trace;
mod world;

pub use bug::Bug;
pub use run::{Outcome, run};
