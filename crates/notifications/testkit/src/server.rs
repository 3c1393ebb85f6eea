//! A complete inbox server for tests, and a proxy whose connections a test can cut.

mod error;
mod test_server;

pub use crate::Proxy;
pub use error::TestServerError;
pub use test_server::{Backup, TestServer};
