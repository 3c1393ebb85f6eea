#![doc = include_str!("../README.md")]

mod builder;
mod contradictions;
mod env;
mod facade;
#[cfg(all(feature = "pusher", feature = "mock"))]
mod identified_mock;
#[cfg(any(feature = "pusher", feature = "mock"))]
mod inbox_settings;
mod kind;
mod known;
#[cfg(feature = "pusher")]
pub mod mistakes;
mod none;

#[cfg(feature = "mock")]
mod mock;
#[cfg(feature = "pusher")]
mod pusher;

pub use builder::InternalNotificationsBuilder;
pub use facade::InternalNotifications;
pub use kind::ServiceKind;

pub use async_trait::async_trait;
pub use internal_notifications_models as models;
pub use internal_notifications_models::{
    Button, InboxNotification, InternalNotification, NotificationId, Position, Receipt, UserId,
};
pub use internal_notifications_service::{
    Announcement, InternalNotificationsService, InternalNotificationsServiceExt, OfflinePush, RefusedWrite,
    ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};

#[cfg(feature = "mock")]
pub use internal_notifications_mock::{Call, MockHub, MockService};
#[cfg(feature = "client")]
pub use internal_notifications_pusher::InboxClient;
#[cfg(feature = "pusher")]
pub use internal_notifications_pusher::pusher_client::{
    self, AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, Roots,
};
#[cfg(feature = "pusher")]
pub use internal_notifications_pusher::{
    Channels, Credentials, Identity, PusherService, PusherServiceBuilder,
};
