//! One file a concern, one function a route.

mod channel_auth;
mod connections;
mod health;
mod metrics;
mod push;
mod read;
mod retract;
mod user_auth;
mod write;

pub(super) use channel_auth::channel_auth;
pub(super) use connections::close_connections;
pub(super) use health::{live, ready};
pub(super) use metrics::metrics;
pub(super) use push::push;
pub(super) use read::{changes, head, notification, page, realtime};
pub(super) use retract::retract;
pub(super) use user_auth::user_auth;
pub(super) use write::{opened, remove, unopened};
