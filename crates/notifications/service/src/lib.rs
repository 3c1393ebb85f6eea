#![doc = include_str!("../README.md")]

mod announcement;
mod causes;
mod delegate;
mod error;
mod ext;
mod identity;
mod inbox;
mod inbox_log;
mod offline_push;
mod publisher;
mod service;
mod snapshot;
mod storage;
mod written;

pub use announcement::{Announcement, RefusedWrite};
pub use async_trait::async_trait;
pub use causes::with_causes;
pub use error::{ServiceError, ServiceErrorKind};
pub use ext::{InternalNotificationsServiceExt, user_ids};
pub use futures_core::future::BoxFuture;
pub use futures_core::stream::BoxStream;
pub use identity::{Credentials, Identity};
pub use inbox::{
    Inbox, InboxEvent, InboxQuery, InvalidRecord, MAX_WINDOW, PendingWrite, QueueFull, WindowFull,
    WriteRequest,
};
pub use inbox_log::{InboxCommand, InboxLog, Refused};
pub use internal_notifications_models as models;
pub use offline_push::OfflinePush;
pub use publisher::InboxPublisher;
pub use service::InternalNotificationsService;
pub use snapshot::{Snapshot, Status};
pub use storage::{RecordKey, Storage, StoredRecord};
pub use written::Written;
