//! The rules that all stores of this crate share.

pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod cutoffs;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod groups;
pub(crate) mod hooks;
pub(crate) mod listener_slot;
pub(crate) mod push;
pub(crate) mod rounds;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod tasks;
pub(crate) mod withdrawal;
