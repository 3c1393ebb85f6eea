//! The HTTP API: publishing events.

mod client;
mod trigger;

pub use client::{HttpApi, HttpApiBuilder};
pub use trigger::{BatchEvent, Trigger};
