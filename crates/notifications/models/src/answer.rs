use serde::{Deserialize, Serialize};

use crate::{Change, Head, InboxNotification, NotificationId};

/// The newest notifications and the head, read together; or, with `before`, an older page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxPage {
    /// The head it was read at.
    #[serde(flatten)]
    pub head: Head,
    /// Newest first.
    pub notifications: Vec<InboxNotification>,
    /// The smallest `added` of the page, to ask for the next one with; none at the end.
    pub next: Option<u64>,
}

/// The answer to a catch-up: every change after the position, or a reset; never a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangesAnswer {
    /// The changes after the position, in order.
    Changes {
        /// Contiguous.
        changes: Vec<Change>,
        /// Whether there are more after the last of these.
        more: bool,
    },
    /// The changes cannot be told: start again from this snapshot.
    Reset {
        /// Why.
        reason: ResetReason,
        /// The newest notifications.
        snapshot: InboxPage,
    },
}

/// Why a catch-up was answered with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResetReason {
    /// The server's history is not the one asked about: a restored backup, say.
    Diverged,
    /// The changes asked for are no longer in the log.
    Trimmed,
    /// Too many changes were missed.
    Behind,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// The answer to a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The notification's id.
    pub id: NotificationId,
    /// Inboxes that it was added to.
    pub accepted: u64,
    /// Inboxes that had it already.
    pub duplicates: u64,
    /// Inboxes that will get it later.
    pub scheduled: u64,
}

/// The answer to taking a notification back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Retraction {
    /// The notification's id.
    pub id: NotificationId,
    /// Inboxes that would have got it later, and will not.
    pub cancelled: u64,
    /// Inboxes that it was removed from.
    pub removed: u64,
}

/// The answer to a write in one's own inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WriteAnswer {
    /// The change that the write made; none when nothing changed.
    pub seq: Option<u64>,
    /// The head, read in the same transaction.
    pub head: Head,
}

/// What a client needs to receive live events: the answer of `GET /v1/realtime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RealtimeInfo {
    /// The app key of the Channels engine.
    pub key: String,
    /// The caller's own channel.
    pub channel: String,
    /// Where to get authorizations: a path of the inbox server, or a URL.
    pub auth_endpoint: String,
    /// What stands before `/app/KEY` in the WebSocket's path; mostly empty.
    #[serde(default)]
    pub path: String,
    /// The name of the event of a new notification.
    pub event: String,
    /// The name of the event of every other change.
    pub changed_event: String,
    /// Seconds between position checks.
    pub position_check_seconds: u64,
    /// The cluster, at pusher.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The engine's host; without it and without a cluster the inbox server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The engine's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `https` or `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}
