//! A whole inbox server for tests, and a proxy that can be cut.

mod error;
mod test_server;

pub use error::TestServerError;
pub use crate::Proxy;
pub use test_server::{Backup, TestServer};
