//! The accept loop. axum's own has no time-out for the head of a request.

mod connection;
mod lingering;
mod listen;
mod local_url;
mod serve;
mod write_timeout;

pub use listen::listen;
pub use local_url::local_url;
pub use serve::serve;
