#![doc = include_str!("../README.md")]

mod announcement;
mod error;
mod ext;
mod inbox;
mod inbox_log;
mod offline_push;
mod service;
mod snapshot;
mod written;

pub use announcement::{Announcement, RefusedWrite};
pub use error::{ServiceError, ServiceErrorKind};
pub use ext::InternalNotificationsServiceExt;
pub use inbox::{Ask, Inbox, InboxEvent, MAX_WINDOW, PendingWrite, QueueFull, WindowFull};
pub use inbox_log::{InboxCommand, InboxLog, Refused};
pub use internal_notifications_models as models;
pub use offline_push::OfflinePush;
pub use service::InternalNotificationsService;
pub use snapshot::{Snapshot, Status};
pub use written::Written;
