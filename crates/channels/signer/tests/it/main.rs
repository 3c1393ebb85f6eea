//! Published vectors, and attacks on signatures.
//!
//! The vectors in `tests/vectors/*.json` name their sources. Those of origin "derived" were
//! computed with another implementation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod auth_requests;
mod authorizations;
#[cfg(feature = "encrypted")]
mod encrypted;
#[cfg(feature = "axum")]
mod extractor;
mod received_webhooks;
mod requests;
mod secrets;
mod typed_data;
mod urls;
mod vectors;
mod webhooks;
