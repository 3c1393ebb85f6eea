use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{InboxNotification, NotificationId, Position, Tag, Timestamp};

/// A record of an inbox's log. An inbox never changes in any other way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Change {
    /// The place of the change in the history.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What the change does.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

impl Change {
    /// Makes a change.
    pub fn new(stamp: Stamp, kind: ChangeKind) -> Self {
        Self { stamp, kind }
    }
}

/// The place of a change in the history of an inbox: the key `inbox` of a live event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Stamp {
    /// The number of the change: the previous number + 1.
    pub seq: u64,
    /// The tag of the change.
    pub tag: Tag,
    /// The tag of the previous change; absent for the first.
    #[serde(default)]
    pub prev: Option<Tag>,
    /// How many notifications are pending after the change.
    pub pending: u64,
    /// When the change was made. It is the `opened_at` of the notifications that the change opens.
    pub at: Timestamp,
}

impl Stamp {
    /// Makes the stamp of the change that comes next after a position.
    pub fn after(before: Position, tag: Tag, pending: u64, at: Timestamp) -> Self {
        Self { seq: before.seq.saturating_add(1), tag, prev: before.tag, pending, at }
    }

    /// Returns the position after the change.
    pub fn position(&self) -> Position {
        Position { seq: self.seq, tag: Some(self.tag) }
    }

    /// Returns whether the change comes next after a position.
    pub fn follows(&self, position: Position) -> bool {
        position.seq.checked_add(1) == Some(self.seq) && self.prev == position.tag
    }
}

/// What a change does to the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
#[non_exhaustive]
pub enum ChangeKind {
    /// Adds a notification.
    Added {
        /// The notification as it was when it was added.
        notification: Box<InboxNotification>,
    },
    /// Adds a notification that has since left the inbox.
    Gone {
        /// The id, which is all that is left.
        id: NotificationId,
    },
    /// Marks notifications opened.
    Opened {
        /// At most [`MAX_IDS`](crate::MAX_IDS) notifications.
        ids: Vec<NotificationId>,
    },
    /// Marks notifications pending again.
    Unopened {
        /// At most [`MAX_IDS`](crate::MAX_IDS) notifications.
        ids: Vec<NotificationId>,
    },
    /// Removes notifications.
    Removed {
        /// At most [`MAX_IDS`](crate::MAX_IDS) notifications.
        ids: Vec<NotificationId>,
        /// Why they were removed.
        reason: RemovedReason,
    },
    /// Marks every notification opened that was added up to a seq.
    OpenedAll {
        /// The last seq, inclusive.
        through: u64,
    },
    /// A kind that this version does not know. A replica cannot apply it and takes a snapshot.
    Unknown,
}

/// The reason for a [`ChangeKind::Removed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemovedReason {
    /// The user removed them.
    User,
    /// The sender retracted them.
    Retracted,
    /// They expired.
    Expired,
    /// They were too old, or too many.
    Pruned,
    /// Nothing was removed: the server found the pending count wrong and corrected it.
    Recounted,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Wire {
    Added {
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        gone: bool,
        #[cfg_attr(feature = "openapi", schema(value_type = AddedOrId))]
        notification: Value,
    },
    Opened {
        ids: Vec<NotificationId>,
    },
    Unopened {
        ids: Vec<NotificationId>,
    },
    Removed {
        ids: Vec<NotificationId>,
        reason: RemovedReason,
    },
    OpenedAll {
        through: u64,
    },
    #[serde(other)]
    Unknown,
}

/// The notification as it was added, or its id alone if it has since left the inbox.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "a schema without a value")]
enum AddedOrId {
    Added(Box<InboxNotification>),
    Id(OnlyId),
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
struct OnlyId {
    id: NotificationId,
}

impl TryFrom<Wire> for ChangeKind {
    type Error = serde_json::Error;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        Ok(match wire {
            Wire::Added { gone: true, notification } => {
                Self::Gone { id: serde_json::from_value::<OnlyId>(notification)?.id }
            }
            Wire::Added { gone: false, notification } => {
                Self::Added { notification: serde_json::from_value(notification)? }
            }
            Wire::Opened { ids } => Self::Opened { ids },
            Wire::Unopened { ids } => Self::Unopened { ids },
            Wire::Removed { ids, reason } => Self::Removed { ids, reason },
            Wire::OpenedAll { through } => Self::OpenedAll { through },
            Wire::Unknown => Self::Unknown,
        })
    }
}

impl From<ChangeKind> for Wire {
    fn from(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Added { notification } => {
                Self::Added { gone: false, notification: value(&notification) }
            }
            ChangeKind::Gone { id } => Self::Added { gone: true, notification: value(&OnlyId { id }) },
            ChangeKind::Opened { ids } => Self::Opened { ids },
            ChangeKind::Unopened { ids } => Self::Unopened { ids },
            ChangeKind::Removed { ids, reason } => Self::Removed { ids, reason },
            ChangeKind::OpenedAll { through } => Self::OpenedAll { through },
            ChangeKind::Unknown => Self::Unknown,
        }
    }
}

/// Converts a struct of our own, which cannot fail: it holds texts, numbers and JSON values.
fn value<T: Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stamped(what: Value) -> Value {
        let mut change = json!({
            "seq": 2, "tag": "00000000000000ab", "prev": "00000000000000aa", "pending": 1,
            "at": "2026-01-31T09:30:00Z",
        });
        for (key, value) in what.as_object().unwrap() {
            change[key] = value.clone();
        }
        change
    }

    #[test]
    fn every_kind_is_written_as_it_was_read() {
        let added = json!({
            "id": "n", "heading": null, "content": "c", "payload": null, "image_url": null,
            "send_after": null, "opened": false, "buttons": [], "created_at": "2026-01-31T09:30:00Z",
            "opened_at": null, "sender": "key:shop", "added": 2, "color": "red",
        });
        for what in [
            json!({"kind": "added", "notification": added}),
            json!({"kind": "added", "gone": true, "notification": {"id": "n"}}),
            json!({"kind": "opened", "ids": ["n"]}),
            json!({"kind": "unopened", "ids": ["n"]}),
            json!({"kind": "removed", "ids": ["n"], "reason": "user"}),
            json!({"kind": "opened_all", "through": 7}),
            json!({"kind": "unknown"}),
        ] {
            let wire = stamped(what);
            let change: Change = serde_json::from_value(wire.clone()).unwrap();
            assert_eq!(serde_json::to_value(&change).unwrap(), wire);
        }
    }

    #[test]
    fn a_kind_of_a_newer_server_is_read_as_unknown() {
        let change: Change = serde_json::from_value(stamped(json!({"kind": "snoozed", "until": 1}))).unwrap();
        assert_eq!(change.kind, ChangeKind::Unknown);
    }

    #[test]
    fn only_the_very_next_change_follows() {
        let change: Change =
            serde_json::from_value(stamped(json!({"kind": "opened_all", "through": 7}))).unwrap();
        let at = |seq, tag| Position { seq, tag: Some(Tag::from_bits(tag)) };
        assert!(change.stamp.follows(at(1, 0xaa)));
        assert!(!change.stamp.follows(at(1, 0xbb)));
        assert!(!change.stamp.follows(at(0, 0xaa)));
        assert!(!change.stamp.follows(at(u64::MAX, 0xaa)));
        assert!(!change.stamp.follows(Position { seq: 1, tag: None }));
        let next = Stamp::after(change.stamp.position(), Tag::from_bits(0xac), 0, change.stamp.at);
        assert!(next.follows(change.stamp.position()));
        assert_eq!((next.seq, next.prev), (3, Some(change.stamp.tag)));
    }
}
