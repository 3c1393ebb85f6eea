//! What tests that try the real binary from outside have in common: an HTTP client that sends what it is told to, and a caller with a
//! credential.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod caller;
mod http;

pub use caller::Caller;
pub use http::{Answer, Http};
