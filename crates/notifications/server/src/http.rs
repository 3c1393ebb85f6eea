//! The HTTP routes and the middleware around them.

mod extract;
mod middleware;
mod openapi;
mod page;
mod problem;
mod router;
mod routes;
mod state;

pub(crate) use router::build_router;
pub(crate) use state::AppState;
