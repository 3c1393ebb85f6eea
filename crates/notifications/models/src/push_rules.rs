use std::collections::BTreeSet;

use crate::{InternalNotification, JsonText, UserId};

/// The most recipients of one push, unless a server is configured otherwise.
pub const MAX_RECIPIENTS: usize = 10_000;

/// The most bytes of one notification as JSON, unless a server is configured otherwise.
pub const MAX_NOTIFICATION_BYTES: usize = 128 * 1024;

/// The deepest nesting of a notification.
///
/// JSON parsers bound the nesting that they accept. A notification that could be pushed, but not be
/// parsed again inside an answer, would block its inbox for ever.
pub const MAX_DEPTH: usize = 64;

/// The keys that only the server sets. A pushed notification must not have them at its top level,
/// except for `opened: false`.
pub const RESERVED_KEYS: [&str; 11] = [
    "inbox",
    "seq",
    "tag",
    "pending",
    "truncated",
    "gone",
    "added",
    "sender",
    "created_at",
    "opened",
    "opened_at",
];

/// Why a notification cannot be pushed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidNotification {
    /// Its id is `.` or `..`, which no URL can name.
    #[error("the ids . and .. are not allowed, because no URL can name them")]
    Id,
    /// The content is empty.
    #[error("`content` must not be empty")]
    Empty,
    /// It has one of the [`RESERVED_KEYS`].
    #[error("`{0}` is set by the server and must not be in a pushed notification")]
    Reserved(&'static str),
    /// It would expire before it is sent.
    #[error("`expires_at` must be later than `send_after`")]
    ExpiresUnsent,
    /// It is nested deeper than [`MAX_DEPTH`].
    #[error("a notification must not be nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// JSON cannot represent it.
    #[error("the notification cannot be written as JSON")]
    NotJson,
}

/// Why a push is refused before it is stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPush {
    /// It has no recipient, or more than the limit.
    #[error("a push must have 1 to {0} recipients")]
    Recipients(usize),
    /// The notification breaks a rule.
    #[error(transparent)]
    Notification(#[from] InvalidNotification),
    /// The notification has more bytes as JSON than the limit.
    #[error("a notification must not have more than {0} bytes")]
    TooLarge(usize),
}

/// How large one push may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushLimits {
    /// The most recipients, each counted once.
    pub recipients: usize,
    /// The most bytes of the notification as JSON, with its id if it has one.
    pub notification_bytes: usize,
}

/// The limits of a server that is not configured otherwise: [`MAX_RECIPIENTS`] and
/// [`MAX_NOTIFICATION_BYTES`].
impl Default for PushLimits {
    fn default() -> Self {
        Self::new(MAX_RECIPIENTS, MAX_NOTIFICATION_BYTES)
    }
}

impl PushLimits {
    /// Makes limits of the most recipients and the most bytes of a notification.
    pub fn new(recipients: usize, notification_bytes: usize) -> Self {
        Self { recipients, notification_bytes }
    }

    /// Checks a push and returns its recipients, each once and sorted.
    ///
    /// # Errors
    /// Returns [`InvalidPush`] if the recipients or the notification break a rule.
    pub fn check<'a>(
        &self,
        user_ids: &'a [UserId],
        notification: &InternalNotification,
    ) -> Result<BTreeSet<&'a UserId>, InvalidPush> {
        let recipients = self.check_recipients(user_ids)?;
        self.check_notification(notification)?;
        Ok(recipients)
    }

    /// Checks the recipients of a push alone, as [`check`](Self::check) does.
    ///
    /// # Errors
    /// Returns [`InvalidPush::Recipients`] if there is none or too many.
    pub fn check_recipients<'a>(&self, user_ids: &'a [UserId]) -> Result<BTreeSet<&'a UserId>, InvalidPush> {
        let recipients: BTreeSet<_> = user_ids.iter().collect();
        match (1..=self.recipients).contains(&recipients.len()) {
            true => Ok(recipients),
            false => Err(InvalidPush::Recipients(self.recipients)),
        }
    }

    /// Checks the notification of a push alone, as [`check`](Self::check) does.
    ///
    /// # Errors
    /// Returns [`InvalidPush::Notification`] or [`InvalidPush::TooLarge`].
    pub fn check_notification(&self, notification: &InternalNotification) -> Result<(), InvalidPush> {
        notification.check()?;
        match notification.to_json()?.len() <= self.notification_bytes {
            true => Ok(()),
            false => Err(InvalidPush::TooLarge(self.notification_bytes)),
        }
    }
}

impl InternalNotification {
    /// Checks everything that does not depend on a server's [`PushLimits`].
    ///
    /// # Errors
    /// Returns [`InvalidNotification`] if no server accepts the notification.
    pub fn check(&self) -> Result<(), InvalidNotification> {
        if self.id.as_ref().is_some_and(|id| !id.fits_url()) {
            return Err(InvalidNotification::Id);
        }
        if self.content.is_empty() {
            return Err(InvalidNotification::Empty);
        }
        if self.opened {
            return Err(InvalidNotification::Reserved("opened"));
        }
        if let Some(key) = RESERVED_KEYS.iter().find(|key| self.extra.contains_key(**key)) {
            return Err(InvalidNotification::Reserved(key));
        }
        if self.expires_at.zip(self.send_after).is_some_and(|(expires, send)| expires <= send) {
            return Err(InvalidNotification::ExpiresUnsent);
        }
        // A value of a button is inside the notification, its list of buttons, and the button.
        let in_buttons = self.buttons.iter().flat_map(|button| button.extra.values());
        let is_deep = |value: &JsonText| value.depth() > MAX_DEPTH - 3;
        if self.payload.iter().chain(self.extra.values()).chain(in_buttons).any(is_deep) {
            return Err(InvalidNotification::TooDeep);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Button;

    fn read(value: Value) -> InternalNotification {
        serde_json::from_value(value).unwrap()
    }

    fn users(names: &[&str]) -> Vec<UserId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn content_must_not_be_empty() {
        assert_eq!(InternalNotification::new("").check(), Err(InvalidNotification::Empty));
    }

    #[test]
    fn an_id_that_no_url_can_name_is_refused() {
        let with = |id: &str| InternalNotification::new("c").with_id(id.parse().unwrap()).check();
        for id in [".", ".."] {
            assert_eq!(with(id), Err(InvalidNotification::Id));
        }
        assert_eq!(with("..."), Ok(()));
    }

    #[test]
    fn reserved_keys_are_refused() {
        for key in RESERVED_KEYS {
            let mut notification = json!({"content": "c"});
            notification[key] = if key == "opened" { json!(true) } else { json!({"seq": 1}) };
            assert_eq!(read(notification).check(), Err(InvalidNotification::Reserved(key)), "{key}");
        }
        assert_eq!(read(json!({"content": "c", "opened": false})).check(), Ok(()));
        assert_eq!(read(json!({"content": "c", "payload": {"inbox": 1}})).check(), Ok(()));
    }

    #[test]
    fn nesting_is_bounded_for_arrays_and_objects_wherever_they_are() {
        type Nested = fn(usize) -> Value;
        type Placed = fn(Value) -> InternalNotification;
        let array: Nested = |depth| (0..depth).fold(json!(1), |inner, _| json!([1, inner]));
        let object: Nested = |depth| (0..depth).fold(json!(1), |inner, _| json!({"a": 1, "b": inner}));
        let in_payload: Placed = |value| InternalNotification::new("c").with_payload(value);
        let in_extra: Placed = |value| InternalNotification::new("c").with_extra("color", value);
        let in_button: Placed = |value| {
            let button = Button::new("i", "t").with_extra("color", value);
            InternalNotification::new("c").with_button(button)
        };
        for nested in [array, object] {
            for placed in [in_payload, in_extra, in_button] {
                assert_eq!(placed(nested(MAX_DEPTH - 3)).check(), Ok(()));
                assert_eq!(placed(nested(MAX_DEPTH - 2)).check(), Err(InvalidNotification::TooDeep));
            }
        }
    }

    #[test]
    fn a_notification_expires_after_it_is_sent() {
        let with = |expires: &str| {
            read(json!({"content": "c", "send_after": "2026-01-31T09:30:00Z", "expires_at": expires})).check()
        };
        assert_eq!(with("2026-01-31T09:30:00.001"), Ok(()));
        assert_eq!(with("2026-01-31T09:30:00Z"), Err(InvalidNotification::ExpiresUnsent));
    }

    #[test]
    fn recipients_are_counted_once_each() {
        let limits = PushLimits::new(2, 1_000);
        let new = InternalNotification::new("c");
        let twice = users(&["bob", "ada", "bob"]);
        let recipients: Vec<_> = limits.check(&twice, &new).unwrap().into_iter().cloned().collect();
        assert_eq!(recipients, users(&["ada", "bob"]));
        for refused in [users(&[]), users(&["ada", "bob", "eve"])] {
            assert_eq!(limits.check(&refused, &new), Err(InvalidPush::Recipients(2)));
        }
    }

    #[test]
    fn bytes_are_counted_with_the_id() {
        let new = InternalNotification::new("c").with_id("n".parse().unwrap());
        let bytes = new.to_json().unwrap().len();
        let ada = users(&["ada"]);
        assert!(PushLimits::new(1, bytes).check(&ada, &new).is_ok());
        assert_eq!(PushLimits::new(1, bytes - 1).check(&ada, &new), Err(InvalidPush::TooLarge(bytes - 1)));
        assert!(PushLimits::new(1, bytes - 1).check(&ada, &new.without_id()).is_ok());
        let empty = InternalNotification::new("");
        assert_eq!(
            PushLimits::default().check(&ada, &empty),
            Err(InvalidPush::Notification(InvalidNotification::Empty))
        );
    }

    #[test]
    fn the_default_limits_are_those_of_a_server() {
        assert_eq!(PushLimits::default(), PushLimits::new(10_000, 131_072));
    }
}
