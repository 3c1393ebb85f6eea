//! A whole inbox server for tests, and a proxy that can be cut.

mod error;
mod proxy;
mod test_server;

pub use error::TestServerError;
pub use proxy::Proxy;
pub use test_server::{Backup, TestServer};
