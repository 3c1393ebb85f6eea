//! The bullets, one function each, in the groups of the trait's docs.
//!
//! That nothing happens is shown by what comes after it: a fence is pushed, and it must be the next that happens.

pub(crate) mod cancelling;
pub(crate) mod hollow;
pub(crate) mod lifecycle;
pub(crate) mod offline;
pub(crate) mod push;
pub(crate) mod state;
pub(crate) mod streams;
