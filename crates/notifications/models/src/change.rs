use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::raw::RawFields;
use crate::split::Split;
use crate::{InboxNotification, NotificationId, Position, Tag, Timestamp};

/// A record of an inbox's log. An inbox never changes in any other way.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq)]
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

/// What a change does to the inbox.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Wire<'a> {
    Added {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        gone: bool,
        notification: AddedOrId<'a>,
    },
    Opened {
        ids: &'a [NotificationId],
    },
    Unopened {
        ids: &'a [NotificationId],
    },
    Removed {
        ids: &'a [NotificationId],
        reason: RemovedReason,
    },
    OpenedAll {
        through: u64,
    },
    Unknown,
}

/// The notification as it was added, or its id alone if it has since left the inbox.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub(crate) enum AddedOrId<'a> {
    Added(&'a InboxNotification),
    Id(OnlyId<'a>),
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub(crate) struct OnlyId<'a> {
    id: &'a NotificationId,
}

impl Serialize for ChangeKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let added = |gone, notification| Wire::Added { gone, notification };
        match self {
            Self::Added { notification } => added(false, AddedOrId::Added(notification)),
            Self::Gone { id } => added(true, AddedOrId::Id(OnlyId { id })),
            Self::Opened { ids } => Wire::Opened { ids },
            Self::Unopened { ids } => Wire::Unopened { ids },
            Self::Removed { ids, reason } => Wire::Removed { ids, reason: *reason },
            Self::OpenedAll { through } => Wire::OpenedAll { through: *through },
            Self::Unknown => Wire::Unknown,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChangeKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RawFields::deserialize(deserializer)?.change_kind()
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rest = RawFields::default();
        let stamp = Stamp::deserialize(Split::new(deserializer, &mut rest.0))?;
        Ok(Self { stamp, kind: rest.change_kind()? })
    }
}

impl RawFields {
    /// Reads what a change does. A kind that this version does not know is no error.
    pub(crate) fn change_kind<E: de::Error>(&self) -> Result<ChangeKind, E> {
        let kind: String = self.get("kind")?;
        Ok(match kind.as_str() {
            "added" if self.get_or_default("gone")? => {
                ChangeKind::Gone { id: self.get::<RawFields, E>("notification")?.get("id")? }
            }
            "added" => ChangeKind::Added { notification: self.get("notification")? },
            "opened" => ChangeKind::Opened { ids: self.get("ids")? },
            "unopened" => ChangeKind::Unopened { ids: self.get("ids")? },
            "removed" => ChangeKind::Removed { ids: self.get("ids")?, reason: self.get("reason")? },
            "opened_all" => ChangeKind::OpenedAll { through: self.get("through")? },
            _ => ChangeKind::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    fn numbers_come_back_to_the_digit() {
        let record = r#"{"seq":2,"tag":"00000000000000ab","prev":"00000000000000aa","pending":1,"at":"2026-01-31T09:30:00Z","kind":"added","notification":{"id":"n","heading":null,"content":"c","payload":[1.50,1E400],"image_url":null,"send_after":null,"opened":false,"buttons":[],"created_at":"2026-01-31T09:30:00Z","opened_at":null,"sender":"key:shop","added":2,"color":-0.0}}"#;
        let change: Change = serde_json::from_str(record).unwrap();
        assert_eq!(serde_json::to_string(&change).unwrap(), record);
        let kind: ChangeKind = serde_json::from_str(record).unwrap();
        assert_eq!(kind, change.kind);
        assert!(serde_json::from_str::<Change>(&record.replace("\"added\":2", "\"added\":-2")).is_err());
    }

    #[test]
    fn a_change_without_a_field_of_its_kind_is_an_error() {
        for what in [
            json!({}),
            json!({"kind": 7}),
            json!({"kind": "added"}),
            json!({"kind": "added", "gone": true, "notification": {}}),
            json!({"kind": "added", "gone": true, "notification": ["n"]}),
            json!({"kind": "added", "gone": 1, "notification": {"id": "n"}}),
            json!({"kind": "added", "notification": {"id": "n"}}),
            json!({"kind": "opened"}),
            json!({"kind": "removed", "ids": []}),
            json!({"kind": "opened_all", "through": -1}),
        ] {
            assert!(serde_json::from_value::<Change>(stamped(what.clone())).is_err(), "{what}");
        }
        let unstamped = json!({"kind": "opened", "ids": []});
        assert!(serde_json::from_value::<Change>(unstamped.clone()).is_err());
        assert!(serde_json::from_value::<ChangeKind>(unstamped).is_ok());
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
