//! The tests of the bullets, one function each, grouped as in the trait's docs.
//!
//! To show that something does not happen, a test pushes one more notification, a "fence", and
//! checks that the fence is the next thing that happens.

pub(crate) mod cancelling;
pub(crate) mod lifecycle;
pub(crate) mod offline;
pub(crate) mod push;
pub(crate) mod state;
pub(crate) mod streams;
pub(crate) mod waking;
pub(crate) mod without_inbox;
