//! Support for tests of the real binary as a black box: an HTTP client that sends any request, a
//! caller with a credential, and a receiver of webhooks.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod caller;
mod http;
mod webhooks;

pub use caller::Caller;
pub use http::{Answer, Http};
pub use webhooks::Webhooks;
