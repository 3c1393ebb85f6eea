//! The published vectors, and what an attacker would try.
//!
//! `tests/vectors/*.json` hold published facts, each with its source; those of origin "derived" were computed with another
//! implementation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod authorizations;
#[cfg(feature = "encrypted")]
mod encrypted;
#[cfg(feature = "axum")]
mod extractor;
mod received_webhooks;
mod requests;
mod secrets;
mod vectors;
mod webhooks;
