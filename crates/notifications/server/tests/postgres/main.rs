//! Servers over PostgreSQL. `TEST_POSTGRES_URL` names a database for these tests.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod clock;
mod dispatching;
mod schema;
mod unreachable;
