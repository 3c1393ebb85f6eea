use internal_notifications_models::{
    InternalNotification, InvalidNotification, NotificationId, PushLimits, Timestamp, UserId,
};
use internal_notifications_outbox::Outbox;

use super::IntentRow;
use crate::config::ChannelPrefix;
use crate::store::Push;

/// The rules that an intent must meet, the same as for any push.
#[derive(Clone, Debug)]
pub struct PushRules {
    channels: ChannelPrefix,
    limits: PushLimits,
}

impl PushRules {
    /// Returns the rules of a server with this channel prefix and these limits.
    pub fn new(channels: ChannelPrefix, limits: PushLimits) -> Self {
        Self { channels, limits }
    }

    /// Returns the push of a row, or why it is refused, without quoting the body.
    pub(super) fn push(&self, row: IntentRow, at: Timestamp) -> Result<Push, String> {
        let IntentRow { id, sender, user_ids, body } = row;
        if !Outbox::is_sender(&sender) {
            return Err("the sender must be `outbox:NAME`".to_owned());
        }
        let id = NotificationId::new(id).map_err(|error| error.to_string())?;
        if !id.fits_url() {
            return Err(InvalidNotification::Id.to_string());
        }
        let user_ids = self.recipients(&user_ids)?;
        let notification = self.notification(&body)?;
        Ok(Push::new(id, sender, notification, user_ids, at))
    }

    fn recipients(&self, user_ids: &str) -> Result<Vec<UserId>, String> {
        let user_ids: Vec<UserId> = serde_json::from_str(user_ids)
            .map_err(|error| format!("`user_ids` is not a JSON array of user ids ({})", place(&error)))?;
        let user_ids = self.limits.check_recipients(&user_ids).map_err(|error| error.to_string())?;
        match user_ids.iter().find_map(|user| Some((user, self.channels.channel(user).err()?))) {
            Some((user, error)) => Err(format!("{user}: {error}")),
            None => Ok(user_ids.into_iter().cloned().collect()),
        }
    }

    fn notification(&self, body: &str) -> Result<InternalNotification, String> {
        let notification: InternalNotification = serde_json::from_str(body)
            .map_err(|error| format!("`body` is not a notification ({})", place(&error)))?;
        let notification = notification.without_id();
        self.limits.check_notification(&notification).map_err(|error| error.to_string())?;
        Ok(notification)
    }
}

/// Returns where a text is wrong. The message of serde_json may quote the text.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row() -> IntentRow {
        IntentRow {
            id: "n".to_owned(),
            sender: "outbox:orders".to_owned(),
            user_ids: r#"["bob","ada","bob"]"#.to_owned(),
            body: r#"{"content":"the secret"}"#.to_owned(),
        }
    }

    fn push(row: IntentRow) -> Result<Push, String> {
        PushRules::new(ChannelPrefix::default(), PushLimits::new(3, 200)).push(row, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_row_is_a_push() {
        let push = push(row()).unwrap();
        assert_eq!((push.id.as_str(), push.sender.as_str()), ("n", "outbox:orders"));
        assert_eq!(push.user_ids, ["ada", "bob"].map(|user| user.parse().unwrap()));
        assert_eq!(push.notification, InternalNotification::new("the secret"));
        assert!(push.idempotency_key.is_none());
    }

    #[test]
    fn a_hostile_row_is_refused_without_quoting_its_body() {
        let refused = |change: &dyn Fn(&mut IntentRow), expected: &str| {
            let mut row = row();
            change(&mut row);
            let problem = push(row).unwrap_err();
            assert!(problem.contains(expected) && !problem.contains("secret"), "{problem}");
        };
        let body = |value: Value, expected: &str| refused(&|row| row.body = value.to_string(), expected);
        body(json!("secret"), "not a notification");
        body(json!({"content": ["secret"]}), "not a notification");
        body(json!({"content": ""}), "must not be empty");
        body(json!({"content": "secret", "opened": true}), "`opened`");
        body(json!({"content": "secret", "sender": "key:shop"}), "`sender`");
        body(json!({"content": "secret".repeat(40)}), "200 bytes");
        refused(&|row| row.body = "{\"content\": \"secret".to_owned(), "not a notification");
        refused(&|row| row.body = "[".repeat(100_000), "not a notification");
        for users in ["", "null", "\"ada\"", "[1]", "[\"a b\"]", "[\"ada\"", "{}"] {
            refused(&|row| row.user_ids = users.to_owned(), "`user_ids`");
        }
        refused(&|row| row.user_ids = "[]".to_owned(), "1 to 3");
        refused(&|row| row.user_ids = r#"["a","b","c","d"]"#.to_owned(), "1 to 3");
        for sender in ["key:shop", "user:ada", "outbox:", "outbox:a b", "orders"] {
            refused(&|row| row.sender = sender.to_owned(), "outbox:NAME");
        }
        refused(&|row| row.id = "a\nb".to_owned(), "control characters");
        refused(&|row| row.id = String::new(), "1 to 128");
        refused(&|row| row.id = "..".to_owned(), "no URL");
    }
}
