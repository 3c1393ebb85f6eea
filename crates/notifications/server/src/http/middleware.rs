//! What surrounds every route.

pub(super) mod cors;
mod hosts;
pub(super) mod panics;
pub(super) mod surround;
