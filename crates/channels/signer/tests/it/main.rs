//! The published vectors, and what an attacker would try.
//!
//! `tests/vectors/*.json` hold published facts, each with its source; those of origin "derived" were computed with another
//! implementation. The vectors of the encrypted payloads (secretbox) come with the code that opens them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attacks;
mod authorizations;
mod requests;
mod secrets;
mod vectors;
mod webhooks;
