//! What handlers take from a request, each refusing aloud what it cannot read.

mod body;
mod caller;
mod idempotency;
mod path_id;
mod query;

pub(super) use body::{Body, JsonBody, parse};
pub(super) use caller::{AppUser, Backend, OwnInbox, Pusher};
pub(super) use idempotency::IdempotencyHeader;
pub(super) use path_id::PathId;
pub(super) use query::Query;
