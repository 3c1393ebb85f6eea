//! The requests that backends and users send while faults happen.

pub(crate) mod crowd;
pub(crate) mod exchange;
pub(crate) mod ledger;
pub(crate) mod retrying_client;
pub(crate) mod user;
pub(crate) mod writer;
