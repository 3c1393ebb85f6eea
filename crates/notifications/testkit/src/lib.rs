#![cfg_attr(feature = "server", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "server"),
    doc = "Contract tests for any service; see the documentation of all features."
)]

mod announcement_reader;
mod checked_device;
mod connection;
mod contract;
mod contract_tests;
mod deadline;
mod device;
mod harness;
mod notification;
#[cfg(feature = "proxy")]
mod proxy;
mod report;
mod run;
mod scenario;
#[cfg(feature = "server")]
pub mod server;
mod violation;

pub use connection::Connection;
#[doc(hidden)]
pub use contract_tests::__test_bullet;
pub use device::Device;
pub use harness::Harness;
#[cfg(feature = "proxy")]
pub use proxy::Proxy;
pub use report::Report;
pub use run::{BULLETS, Outcome, run_all, run_bullet};
pub use violation::Violation;
