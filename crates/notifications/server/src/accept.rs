//! The accept loop: axum's own has no time-out for a request's head.

mod connection;
mod lingering;
mod serve;
mod write_timeout;

pub use serve::serve;
