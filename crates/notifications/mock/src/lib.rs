#![doc = include_str!("../README.md")]

mod backup;
mod call;
mod clock;
mod counters;
mod device;
mod hub;
mod hub_state;
mod inboxes;
mod planned_faults;
mod push_record;
mod service;
mod service_builder;
mod sign_in;
mod trace;

pub use backup::Backup;
pub use call::Call;
pub use clock::MockClock;
pub use hub::MockHub;
pub use internal_notifications_models as models;
pub use internal_notifications_service::OfflinePush;
pub use push_record::PushRecord;
pub use service::MockService;
pub use service_builder::MockServiceBuilder;
