//! Runs the binary, talks to it and compares what it shows.

pub(crate) mod binary;
pub(crate) mod broker;
pub(crate) mod disk;
pub(crate) mod inbox;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod skip;
pub(crate) mod tail;
pub(crate) mod target;
pub(crate) mod tokens;
pub(crate) mod unavailable;
pub(crate) mod view;
