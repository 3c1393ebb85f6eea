#![doc = include_str!("../README.md")]

mod answer;
mod canonical;
mod change;
mod ids;
mod inbox_notification;
mod live;
mod notification;
#[cfg(feature = "openapi")]
mod openapi;
mod position;
mod problem;
mod request;
mod time;
mod variables;

pub use answer::{ChangesAnswer, InboxPage, RealtimeInfo, Receipt, ResetReason, Retraction, WriteAnswer};
pub use canonical::canonical_json;
pub use change::{Change, ChangeKind, RemovedReason, Stamp};
pub use ids::{InvalidId, NotificationId, OpId, Tag, UserId};
pub use inbox_notification::InboxNotification;
pub use jiff::Timestamp;
pub use live::{CHANGED_EVENT, EVENT, LiveEvent};
pub use notification::{Button, InternalNotification, InvalidNotification, MAX_DEPTH, RESERVED_KEYS};
pub use position::{Head, Position};
pub use problem::Problem;
pub use request::{MarkRequest, MarkTarget, PushRequest};
pub use time::parse_time;
pub use variables::unknown_names;

/// The most ids that one request or one change names.
pub const MAX_IDS: usize = 500;

/// The most recipients of one push, unless a server is set up otherwise.
pub const MAX_RECIPIENTS: usize = 10_000;

/// The most bytes of one notification as JSON, unless a server is set up otherwise.
pub const MAX_NOTIFICATION_BYTES: usize = 128 * 1024;
