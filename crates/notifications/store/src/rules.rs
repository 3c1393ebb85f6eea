//! The rules that every store of this crate applies.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod cuts;
pub(crate) mod hooks;
pub(crate) mod listener_slot;
pub(crate) mod push;
