//! The routes, and what surrounds each of them.

mod app;
mod cors;
mod extract;
mod frame;
mod hosts;
mod openapi;
mod page;
mod panics;
mod problem;
mod router;
mod routes;

pub use app::{Access, App};
pub use router::build_router;
