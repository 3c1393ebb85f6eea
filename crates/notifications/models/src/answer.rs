use serde::{Deserialize, Deserializer, Serialize, de};

use crate::raw::RawFields;
use crate::{CHANGED_EVENT, Change, EVENT, Head, InboxNotification, NotificationId};

/// A page of an inbox: its newest notifications, or older ones, with the head they were read at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct InboxPage {
    /// The head when the page was read.
    #[serde(flatten)]
    pub head: Head,
    /// The notifications, newest first.
    pub notifications: Vec<InboxNotification>,
    /// The smallest `added` of the page, with which the next page is requested. Absent on the last
    /// page.
    pub next: Option<u64>,
}

impl InboxPage {
    /// Makes a page; `next` is the smallest `added` of the page if there are older notifications.
    pub fn new(head: Head, notifications: Vec<InboxNotification>, next: Option<u64>) -> Self {
        Self { head, notifications, next }
    }
}

/// The answer to a catch-up: every change after the position, or a reset.
///
/// There is no third answer: a server never leaves out changes in between.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChangesAnswer {
    /// The changes after the position.
    #[non_exhaustive]
    Changes {
        /// The changes in order, without a gap.
        changes: Vec<Change>,
        /// Whether there are more changes after the last of these.
        more: bool,
    },
    /// The server cannot list the changes; the client starts again from a snapshot.
    #[non_exhaustive]
    Reset {
        /// Why the changes cannot be listed.
        reason: ResetReason,
        /// The newest notifications.
        snapshot: InboxPage,
    },
}

impl ChangesAnswer {
    /// Answers with changes; `more` is whether there are more after the last of these.
    pub fn changes(changes: Vec<Change>, more: bool) -> Self {
        Self::Changes { changes, more }
    }

    /// Answers with a snapshot.
    pub fn reset(reason: ResetReason, snapshot: InboxPage) -> Self {
        Self::Reset { reason, snapshot }
    }
}

impl<'de> Deserialize<'de> for ChangesAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = RawFields::deserialize(deserializer)?;
        let kind: String = fields.get("kind")?;
        match kind.as_str() {
            "changes" => Ok(Self::Changes { changes: fields.get("changes")?, more: fields.get("more")? }),
            "reset" => Ok(Self::Reset { reason: fields.get("reason")?, snapshot: fields.get("snapshot")? }),
            _ => Err(de::Error::unknown_variant(&kind, &["changes", "reset"])),
        }
    }
}

/// The reason for a [`ChangesAnswer::Reset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResetReason {
    /// The position is not part of the server's history, as after a restored backup.
    Diverged,
    /// The log no longer reaches back to the position.
    Trimmed,
    /// The client missed too many changes.
    Behind,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// The answer to a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Receipt {
    /// The id of the notification.
    pub id: NotificationId,
    /// How many inboxes it was added to.
    pub accepted: u64,
    /// How many inboxes had it already.
    pub duplicates: u64,
    /// How many inboxes will get it later.
    pub scheduled: u64,
}

impl Receipt {
    /// Makes a receipt that counts nobody yet.
    pub fn new(id: NotificationId) -> Self {
        Self { id, accepted: 0, duplicates: 0, scheduled: 0 }
    }

    /// Sets how many inboxes the notification was added to.
    pub fn with_accepted(mut self, inboxes: u64) -> Self {
        self.accepted = inboxes;
        self
    }

    /// Sets how many inboxes had the notification already.
    pub fn with_duplicates(mut self, inboxes: u64) -> Self {
        self.duplicates = inboxes;
        self
    }

    /// Sets how many inboxes will get the notification later.
    pub fn with_scheduled(mut self, inboxes: u64) -> Self {
        self.scheduled = inboxes;
        self
    }
}

/// The answer to a retraction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Retraction {
    /// The id of the notification.
    pub id: NotificationId,
    /// How many inboxes were to get it later, and no longer will.
    pub cancelled: u64,
    /// How many inboxes it was removed from.
    pub removed: u64,
}

impl Retraction {
    /// Makes the answer to the retraction of a notification that nobody had.
    pub fn new(id: NotificationId) -> Self {
        Self { id, cancelled: 0, removed: 0 }
    }

    /// Sets how many inboxes were to get the notification later.
    pub fn with_cancelled(mut self, inboxes: u64) -> Self {
        self.cancelled = inboxes;
        self
    }

    /// Sets how many inboxes the notification was removed from.
    pub fn with_removed(mut self, inboxes: u64) -> Self {
        self.removed = inboxes;
        self
    }
}

/// The answer to a write in the caller's own inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct WriteAnswer {
    /// The change that the write made, if it changed anything.
    pub seq: Option<u64>,
    /// The head, read in the same transaction.
    pub head: Head,
}

impl WriteAnswer {
    /// Makes the answer to a write that made the change `seq`, or none.
    pub fn new(seq: Option<u64>, head: Head) -> Self {
        Self { seq, head }
    }
}

/// What a client needs to receive live events: the answer to `GET /v1/realtime`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RealtimeInfo {
    /// The app key of the Channels engine.
    pub key: String,
    /// The caller's own channel.
    pub channel: String,
    /// Where the channel is authorized: a path of the inbox server, or a URL.
    pub auth_endpoint: String,
    /// The prefix of `/app/KEY` in the path of the WebSocket; usually empty.
    #[serde(default)]
    pub path: String,
    /// The name of the event that carries a new notification.
    pub event: String,
    /// The name of the event that carries any other change.
    pub changed_event: String,
    /// The interval of position checks in seconds.
    pub position_check_seconds: u64,
    /// The cluster, at pusher.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The host of the engine. Without it and without a cluster, the host of the inbox server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The port of the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `https` or `http`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
}

impl RealtimeInfo {
    /// Describes a channel of an engine on the inbox server's own host, with the default event
    /// names and a position check every 60 s.
    pub fn new(key: impl Into<String>, channel: impl Into<String>, auth_endpoint: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            channel: channel.into(),
            auth_endpoint: auth_endpoint.into(),
            path: String::new(),
            event: EVENT.to_owned(),
            changed_event: CHANGED_EVENT.to_owned(),
            position_check_seconds: 60,
            cluster: None,
            host: None,
            port: None,
            scheme: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Position;

    fn id() -> NotificationId {
        NotificationId::new("n").unwrap()
    }

    #[test]
    fn answers_keep_their_wire_form() {
        let receipt = Receipt::new(id()).with_accepted(1).with_duplicates(2).with_scheduled(3);
        assert_eq!(
            serde_json::to_value(receipt).unwrap(),
            json!({"id": "n", "accepted": 1, "duplicates": 2, "scheduled": 3})
        );
        let retraction = Retraction::new(id()).with_cancelled(1).with_removed(2);
        assert_eq!(
            serde_json::to_value(retraction).unwrap(),
            json!({"id": "n", "cancelled": 1, "removed": 2})
        );
        let head = json!({"seq": 0, "tag": null, "pending": 3});
        let answer = WriteAnswer::new(Some(7), Head::new(Position::default(), 3));
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"seq": 7, "head": head}));
        let page = json!({"seq": 0, "tag": null, "pending": 0, "notifications": [], "next": null});
        assert_eq!(
            serde_json::to_value(ChangesAnswer::reset(ResetReason::Trimmed, InboxPage::default())).unwrap(),
            json!({"kind": "reset", "reason": "trimmed", "snapshot": page})
        );
        assert_eq!(
            serde_json::to_value(ChangesAnswer::changes(Vec::new(), true)).unwrap(),
            json!({"kind": "changes", "changes": [], "more": true})
        );
    }

    #[test]
    fn an_answer_with_changes_is_read_back_to_the_digit() {
        let row = r#"{"id":"n","heading":null,"content":"c","payload":[1.50,1E400],"image_url":null,"send_after":null,"opened":false,"buttons":[],"created_at":"2026-01-31T09:30:00Z","opened_at":null,"sender":"key:shop","added":1,"color":-0.0}"#;
        let stamp = r#""seq":1,"tag":"00000000000000ab","prev":null,"pending":1,"at":"2026-01-31T09:30:00Z""#;
        let changes = format!(
            r#"{{"kind":"changes","changes":[{{{stamp},"kind":"added","notification":{row}}}],"more":false}}"#
        );
        let page = format!(
            r#"{{"seq":1,"tag":"00000000000000ab","pending":1,"notifications":[{row}],"next":null}}"#
        );
        let reset = format!(r#"{{"kind":"reset","reason":"behind","snapshot":{page}}}"#);
        for text in [&changes, &reset] {
            let read: ChangesAnswer = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), *text);
        }
        assert_eq!(serde_json::to_string(&serde_json::from_str::<InboxPage>(&page).unwrap()).unwrap(), page);
        for wrong in
            [json!({}), json!({"kind": "later"}), json!({"kind": "changes", "changes": []}), json!([])]
        {
            assert!(serde_json::from_value::<ChangesAnswer>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reason_of_a_newer_server_is_read_as_other() {
        assert_eq!(serde_json::from_value::<ResetReason>(json!("moved")).unwrap(), ResetReason::Other);
    }

    #[test]
    fn realtime_info_leaves_out_what_the_engine_does_not_need() {
        let info = RealtimeInfo::new("key", "private-ada", "/v1/pusher/auth");
        let wire = json!({
            "key": "key", "channel": "private-ada", "auth_endpoint": "/v1/pusher/auth", "path": "",
            "event": "internal-notification", "changed_event": "internal-notifications-changed",
            "position_check_seconds": 60,
        });
        assert_eq!(serde_json::to_value(&info).unwrap(), wire);
        assert_eq!(serde_json::from_value::<RealtimeInfo>(wire).unwrap(), info);
    }
}
