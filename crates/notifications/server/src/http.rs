//! The HTTP routes and the middleware around them.

mod body_budget;
mod extract;
mod middleware;
mod openapi;
mod page;
mod problem;
mod router;
mod routes;
mod state;

pub(crate) use body_budget::BodyBudget;
pub(crate) use router::build_router;
pub(crate) use state::AppState;
