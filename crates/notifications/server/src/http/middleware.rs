//! What surrounds every route.

pub(super) mod cors;
pub(super) mod hosts;
pub(super) mod panics;
pub(super) mod request;
