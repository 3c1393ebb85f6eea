//! The tests, grouped by topic.

mod backup;
mod broker;
mod catch_up;
mod demo;
mod full_disk;
mod hostile;
mod kills;
mod logged_secrets;
mod outbox;
mod postgres;
mod proxy;
mod read_only;
mod restore;
mod scheduling;
mod startup;
mod sync;
