#![doc = include_str!("../README.md")]

mod answer;
mod canonical;
mod change;
mod ids;
mod inbox_notification;
mod json_text;
mod live;
mod notification;
#[cfg(feature = "openapi")]
mod openapi;
mod position;
mod problem;
mod push_rules;
mod raw;
mod request;
mod split;
mod time;
mod variables;

pub use answer::{ChangesAnswer, InboxPage, RealtimeInfo, Receipt, ResetReason, Retraction, WriteAnswer};
pub use canonical::canonical_json;
pub use change::{Change, ChangeKind, RemovedReason, Stamp};
pub use ids::{InvalidId, NotificationId, OpId, Tag, UserId};
pub use inbox_notification::InboxNotification;
pub use jiff::Timestamp;
pub use json_text::JsonText;
pub use live::{CHANGED_EVENT, EVENT, LiveEvent};
pub use notification::{Button, InternalNotification};
pub use position::{Head, Position};
pub use problem::Problem;
pub use push_rules::{
    InvalidNotification, InvalidPush, MAX_DEPTH, MAX_NOTIFICATION_BYTES, MAX_RECIPIENTS, PushLimits,
    RESERVED_KEYS,
};
pub use request::{MarkRequest, MarkTarget, PushRequest};
pub use serde_json;
pub use time::parse_time;
pub use variables::unknown_names;

/// The most ids in one request or one change.
pub const MAX_IDS: usize = 500;
