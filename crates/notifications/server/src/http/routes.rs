//! The handlers: one file per concern, one function per route.

pub(super) mod channel_auth;
pub(super) mod connections;
pub(super) mod health;
pub(super) mod metrics;
pub(super) mod push;
pub(super) mod read;
pub(super) mod retract;
pub(super) mod user_auth;
pub(super) mod write;
