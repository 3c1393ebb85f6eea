//! The fuzz targets' code, one module per target. Each `run` feeds an input to our code as if it
//! came from outside, and panics if a property does not hold. Inputs are text, one step per line,
//! so that people can write seeds and read crashes. `fuzz/` makes libFuzzer targets of these
//! functions; the tests here run them with the seeds.

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
