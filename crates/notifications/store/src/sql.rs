//! What the SQL stores share.

pub(crate) mod apart;
pub(crate) mod catch_up;
mod delivery;
pub(crate) mod drifts;
pub(crate) mod due_work;
pub(crate) mod failure;
pub(crate) mod inspection;
pub(crate) mod journal;
pub(crate) mod order;
pub(crate) mod push_all;
pub(crate) mod row;
