#![cfg_attr(all(feature = "pusher", feature = "storage"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "pusher", feature = "storage")),
    doc = "In-app notifications; see the documentation of the features `pusher` and `storage`."
)]

mod builder;
mod conflicts;
mod disabled_service;
mod env;
mod handle;
mod service_kind;
mod unknown_variables;

pub use builder::InternalNotificationsBuilder;
pub use handle::InternalNotifications;
pub use service_kind::ServiceKind;

pub use futures_util::StreamExt;
pub use internal_notifications_models as models;
pub use internal_notifications_models::{
    Button, InboxNotification, InternalNotification, JsonText, NotificationId, Position, Receipt, Timestamp,
    UserId,
};
pub use internal_notifications_service::{
    Announcement, BoxStream, Credentials, Identity, InboxCommand, InboxPublisher,
    InternalNotificationsService, InternalNotificationsServiceExt, OfflinePush, RecordKey, RefusedWrite,
    ServiceError, ServiceErrorKind, Snapshot, Status, Storage, StoredRecord, Written, async_trait,
    delegate_service, with_causes,
};

#[cfg(feature = "mock")]
pub use internal_notifications_mock::{Call, MockHub, MockService, MockServiceBuilder};
#[cfg(feature = "pusher")]
pub use internal_notifications_pusher::pusher_client::{
    self, AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, Roots,
};
#[cfg(feature = "pusher")]
pub use internal_notifications_pusher::{Channels, PusherService, PusherServiceBuilder};
#[cfg(feature = "client")]
pub use internal_notifications_pusher::{InboxClient, InboxClientBuilder};
#[cfg(feature = "storage")]
pub use internal_notifications_storage::FileStorage;
