//! Extractors: what handlers take from a request. Each rejects what it cannot parse with a problem.

mod body;
mod caller;
mod idempotency;
mod path_id;
mod query;

pub(super) use body::{AuthBody, JsonBody, parse};
pub(super) use caller::{AppUser, Backend, MayPush, OwnInbox};
pub(super) use idempotency::IdempotencyHeader;
pub(super) use path_id::PathId;
pub(super) use query::Query;
