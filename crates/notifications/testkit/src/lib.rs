#![doc = include_str!("../README.md")]

mod bullets;
mod contract;
mod deadline;
mod device;
mod ear;
mod harness;
mod probe;
#[cfg(feature = "proxy")]
mod proxy;
mod report;
#[cfg(feature = "server")]
pub mod server;
mod stage;
mod violation;

#[doc(hidden)]
pub use bullets::__test_bullet;
pub use bullets::{BULLETS, Outcome, run_all, run_bullet};
pub use device::{Connection, Device};
pub use harness::Harness;
#[cfg(feature = "proxy")]
pub use proxy::Proxy;
pub use report::Report;
pub use violation::Violation;
