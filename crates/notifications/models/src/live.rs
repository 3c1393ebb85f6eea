use serde::{Deserialize, Serialize};

use crate::raw::RawFields;
use crate::{Change, ChangeKind, InboxNotification, InternalNotification, Stamp};

/// The name of the live event that carries a new notification.
pub const EVENT: &str = "internal-notification";
/// The name of the live event that carries any other change.
pub const CHANGED_EVENT: &str = "internal-notifications-changed";

/// A live event on a user's channel.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum LiveEvent {
    /// A change.
    Change(Change),
    /// The place of a change that is too large for the transport.
    Thin(Stamp),
    /// A notification that was triggered on the channel without an inbox server.
    Bare(Box<InternalNotification>),
}

#[derive(Serialize)]
struct AddedEvent<'a> {
    #[serde(flatten)]
    notification: &'a InboxNotification,
    inbox: Stamp,
}

#[derive(Serialize)]
struct ChangedEvent<'a> {
    #[serde(flatten)]
    kind: &'a ChangeKind,
    inbox: Stamp,
}

#[derive(Serialize)]
struct ThinEvent {
    truncated: bool,
    inbox: Stamp,
}

impl LiveEvent {
    /// Parses the `data` of an event of either name. Returns `None` if it is malformed.
    ///
    /// A notification with a malformed `inbox` is malformed, not bare.
    pub fn parse(data: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Peek {
            #[serde(default)]
            inbox: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            truncated: bool,
            #[serde(default)]
            kind: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            content: Option<serde::de::IgnoredAny>,
        }
        // Where a struct is expected, serde would also accept an array of its fields.
        if !is_object(data) {
            return None;
        }
        let peek: Peek = serde_json::from_str(data).ok()?;
        match peek {
            Peek { inbox: None, .. } => {
                serde_json::from_str(data).ok().map(|bare| Self::Bare(Box::new(bare)))
            }
            Peek { truncated: true, .. } => {
                let fields: RawFields = serde_json::from_str(data).ok()?;
                stamp(fields.0.get("inbox")?.0.get()).map(Self::Thin)
            }
            Peek { kind: Some(_), content: None, .. } => {
                let fields: RawFields = serde_json::from_str(data).ok()?;
                let stamp = stamp(fields.0.get("inbox")?.0.get())?;
                let kind = fields.change_kind::<serde_json::Error>().ok()?;
                Some(Self::Change(Change { stamp, kind }))
            }
            _ => {
                let mut notification: Box<InboxNotification> = serde_json::from_str(data).ok()?;
                let stamp = stamp(notification.extra.remove("inbox")?.as_str())?;
                Some(Self::Change(Change { stamp, kind: ChangeKind::Added { notification } }))
            }
        }
    }

    /// Returns the name and the `data` of the event of a change. The event is thin if the data
    /// would have more than `max_bytes` bytes.
    pub fn encode(change: &Change, max_bytes: usize) -> (&'static str, String) {
        let inbox = change.stamp;
        let (event, data) = match &change.kind {
            ChangeKind::Added { notification } => {
                (EVENT, serde_json::to_string(&AddedEvent { notification, inbox }))
            }
            ChangeKind::Gone { .. } => return (EVENT, Self::thin(inbox)),
            kind => (CHANGED_EVENT, serde_json::to_string(&ChangedEvent { kind, inbox })),
        };
        match data {
            Ok(data) if data.len() <= max_bytes => (event, data),
            _ => (event, Self::thin(inbox)),
        }
    }

    /// Returns the `data` of a thin event.
    pub fn thin(inbox: Stamp) -> String {
        serde_json::to_string(&ThinEvent { truncated: true, inbox }).unwrap_or_default()
    }
}

fn stamp(json: &str) -> Option<Stamp> {
    is_object(json).then(|| serde_json::from_str(json).ok())?
}

fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NotificationId, Position, Tag, Timestamp};

    fn stamp() -> Stamp {
        let before = Position { seq: 6, tag: Some(Tag::from_bits(6)) };
        Stamp::after(before, Tag::from_bits(7), 3, Timestamp::UNIX_EPOCH)
    }

    fn added(content: &str) -> Change {
        let mut notification = InternalNotification::new(content);
        notification.extra.insert("kind".into(), "mine".into());
        let id = NotificationId::new("n").unwrap();
        let row = InboxNotification::new(id, notification, "key:shop", Timestamp::UNIX_EPOCH, 7);
        Change { stamp: stamp(), kind: ChangeKind::Added { notification: Box::new(row) } }
    }

    #[test]
    fn a_change_is_read_back_from_its_event() {
        let ids = vec![NotificationId::new("n").unwrap()];
        for change in [
            added("c"),
            Change { stamp: stamp(), kind: ChangeKind::Opened { ids } },
            Change { stamp: stamp(), kind: ChangeKind::OpenedAll { through: 7 } },
        ] {
            let (event, data) = LiveEvent::encode(&change, 10_240);
            let is_added = matches!(change.kind, ChangeKind::Added { .. });
            assert_eq!(event, if is_added { EVENT } else { CHANGED_EVENT });
            assert_eq!(LiveEvent::parse(&data), Some(LiveEvent::Change(change)));
        }
    }

    #[test]
    fn numbers_come_back_to_the_digit() {
        let numbers = "[98765432109876543210987,-0.0,1.50,1E400]";
        let Change { stamp, kind: ChangeKind::Added { mut notification } } = added("c") else { panic!() };
        notification.payload = Some(numbers.parse().unwrap());
        notification.extra.insert("color".into(), numbers.parse().unwrap());
        let change = Change { stamp, kind: ChangeKind::Added { notification } };
        let (_, data) = LiveEvent::encode(&change, 10_240);
        assert_eq!(data.matches(numbers).count(), 2, "{data}");
        assert_eq!(LiveEvent::parse(&data), Some(LiveEvent::Change(change)));
        let bare = format!(r#"{{"content":"c","payload":{numbers}}}"#);
        let Some(LiveEvent::Bare(read)) = LiveEvent::parse(&bare) else { panic!() };
        assert_eq!(read.payload.unwrap().as_str(), numbers);
    }

    #[test]
    fn an_event_may_be_as_large_as_the_transport_takes() {
        let change = added("c");
        let (_, whole) = LiveEvent::encode(&change, usize::MAX);
        assert_eq!(LiveEvent::encode(&change, whole.len()).1, whole);
        assert_eq!(LiveEvent::encode(&change, whole.len() - 1).1, LiveEvent::thin(stamp()));
    }

    #[test]
    fn a_notification_that_is_gone_goes_out_thin() {
        let kind = ChangeKind::Gone { id: NotificationId::new("n").unwrap() };
        let event = LiveEvent::encode(&Change::new(stamp(), kind), 10_240);
        assert_eq!(event, (EVENT, LiveEvent::thin(stamp())));
    }

    #[test]
    fn an_event_that_is_too_large_goes_out_thin() {
        let (event, data) = LiveEvent::encode(&added(&"x".repeat(20_000)), 10_240);
        assert_eq!(event, EVENT);
        assert!(data.len() < 300);
        assert_eq!(LiveEvent::parse(&data), Some(LiveEvent::Thin(stamp())));
    }

    #[test]
    fn a_bare_notification_is_no_change() {
        let read = LiveEvent::parse(r#"{"content":"c","heading":"h"}"#);
        assert_eq!(read, Some(LiveEvent::Bare(Box::new(InternalNotification::new("c").with_heading("h")))));
    }

    #[test]
    fn a_malformed_event_is_refused() {
        let array = r#"[7,"0000000000000007","0000000000000006",3,"1970-01-01T00:00:00Z"]"#.to_owned();
        let object = serde_json::to_string(&stamp()).unwrap();
        let thin = LiveEvent::thin(stamp()).replace(&object, &array);
        let (_, added) = LiveEvent::encode(&added("c"), usize::MAX);
        assert!(added.contains(&object) && serde_json::from_str::<Stamp>(&array).is_ok());
        let deep = format!("{{\"content\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        for data in [
            "",
            "{}",
            "[]",
            "x",
            r#"{"content":1}"#,
            r#"{"content":"c","inbox":{"seq":1}}"#,
            r#"{"truncated":true}"#,
            r#"[{"seq":7},true,null,null]"#,
            &thin,
            &thin.replace(r#""truncated":true"#, r#""kind":"opened_all","through":7"#),
            &added.replace(&object, &array),
            &deep,
        ] {
            assert_eq!(LiveEvent::parse(data), None, "{data:.30}");
        }
    }
}
