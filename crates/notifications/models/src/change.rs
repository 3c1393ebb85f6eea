use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{InboxNotification, NotificationId, Position, Tag, Timestamp};

/// One record of an inbox's log: the only way an inbox ever changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Change {
    /// Where it stands in the history.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What it does.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// Where a change stands: the key `inbox` of a live event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stamp {
    /// The number of the change: the previous one's + 1.
    pub seq: u64,
    /// The tag of the change.
    pub tag: Tag,
    /// The tag of the change before; none for the first.
    #[serde(default)]
    pub prev: Option<Tag>,
    /// Pending notifications after it.
    pub pending: u64,
    /// When it was made; `opened_at` of what it opens.
    pub at: Timestamp,
}

impl Stamp {
    /// The position after the change.
    pub fn position(&self) -> Position {
        Position { seq: self.seq, tag: Some(self.tag) }
    }

    /// Whether it is the very next change after a position.
    pub fn follows(&self, position: Position) -> bool {
        position.seq.checked_add(1) == Some(self.seq) && self.prev == position.tag
    }
}

/// What a change does to the inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
#[non_exhaustive]
pub enum ChangeKind {
    /// A notification came, as it was then.
    Added {
        /// The notification.
        notification: Box<InboxNotification>,
    },
    /// A notification came that is no longer in the inbox: only its id is left.
    Gone {
        /// Its id.
        id: NotificationId,
    },
    /// These were opened.
    Opened {
        /// At most [`crate::MAX_IDS`].
        ids: Vec<NotificationId>,
    },
    /// These are pending again.
    Unopened {
        /// At most [`crate::MAX_IDS`].
        ids: Vec<NotificationId>,
    },
    /// These left the inbox.
    Removed {
        /// At most [`crate::MAX_IDS`].
        ids: Vec<NotificationId>,
        /// Why.
        reason: RemovedReason,
    },
    /// Every notification added up to that seq is opened.
    OpenedAll {
        /// A seq, inclusive.
        through: u64,
    },
    /// Something that this version does not know; a replica cannot fold it and takes a snapshot.
    Unknown,
}

/// Why notifications left an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RemovedReason {
    /// The user removed them.
    User,
    /// The sender took them back.
    Retracted,
    /// Their time was over.
    Expired,
    /// They were older than what is kept.
    Pruned,
    /// None left: the pending count was found wrong, and is right from here on.
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

/// The notification as it was added; its id alone if it has left the inbox since.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[allow(dead_code)] // Described, never made.
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

/// Our own structs of texts, numbers and values cannot fail to become JSON.
fn value<T: Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stamped(what: Value) -> Value {
        let mut change = json!({"seq": 2, "tag": "00000000000000ab", "prev": "00000000000000aa", "pending": 1, "at": "2026-01-31T09:30:00Z"});
        for (key, value) in what.as_object().unwrap() {
            change[key] = value.clone();
        }
        change
    }

    #[test]
    fn every_kind_keeps_its_wire_form() {
        let added = json!({"id": "n", "heading": null, "content": "c", "payload": null, "image_url": null, "send_after": null,
            "opened": false, "buttons": [], "created_at": "2026-01-31T09:30:00Z", "opened_at": null, "sender": "key:shop", "added": 2, "color": "red"});
        for what in [
            json!({"kind": "added", "notification": added}),
            json!({"kind": "added", "gone": true, "notification": {"id": "n"}}),
            json!({"kind": "opened", "ids": ["n"]}),
            json!({"kind": "unopened", "ids": ["n"]}),
            json!({"kind": "removed", "ids": ["n"], "reason": "user"}),
            json!({"kind": "opened_all", "through": 7}),
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
    }
}
