//! One file a concern, one function a route.

pub(super) mod channel_auth;
pub(super) mod connections;
pub(super) mod health;
pub(super) mod metrics;
pub(super) mod push;
pub(super) mod read;
pub(super) mod retract;
pub(super) mod user_auth;
pub(super) mod write;
