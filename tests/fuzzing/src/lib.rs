//! What a fuzzer hands to our code as if it came from outside, and what must hold whatever it is: one module a target, whose `run` panics
//! when it does not hold. Inputs are read as text, a line a step, so that seeds can be written and crashes read by hand. `fuzz/` gives these
//! functions to libFuzzer; the tests here give them the seeds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a check fails by panicking"
)]

pub mod auth_form;
pub mod broker_frames;
pub mod client_frames;
pub mod http_api;
pub mod live_events;
pub mod webhooks;

mod broker;
mod runtime;
#[cfg(test)]
mod seeds;
