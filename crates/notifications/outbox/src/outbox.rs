use internal_notifications_models::{InternalNotification, NotificationId, PushLimits, UserId};

use crate::connection::{OutboxConnection, sealed::Intent};
use crate::error::{OutboxError, OutboxErrorKind};

/// Pushes notifications inside transactions of the app's own database.
///
/// It holds no connection and is cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    sender: String,
}

impl Outbox {
    /// Creates an outbox. Its notifications have the sender `outbox:NAME`.
    ///
    /// # Errors
    /// Returns [`OutboxErrorKind::Name`] unless the name is 1 to 64 ASCII letters, digits or `_-.`.
    pub fn new(name: impl AsRef<str>) -> Result<Self, OutboxError> {
        let sender = format!("outbox:{}", name.as_ref());
        match Self::is_sender(&sender) {
            true => Ok(Self { sender }),
            false => Err(OutboxError::new(
                OutboxErrorKind::Name,
                "the name of an outbox must be 1 to 64 ASCII letters, digits or _-.",
            )),
        }
    }

    /// Returns whether a sender is that of an outbox: `outbox:NAME` with a valid name.
    pub fn is_sender(sender: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let name = sender.strip_prefix("outbox:");
        name.is_some_and(|name| (1..=64).contains(&name.len()) && name.bytes().all(allowed))
    }

    /// Returns the sender of this outbox's notifications: `outbox:NAME`.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Pushes a notification to these users as part of the connection's transaction, and returns
    /// the notification's id.
    ///
    /// A server delivers it after the transaction commits. If the transaction is rolled back,
    /// nothing is delivered. This inserts one row, locks nothing else, and contacts no server.
    ///
    /// A notification without an id gets a UUIDv7. One with an id is delivered once, however often
    /// it is pushed; if the id belongs to another body or sender, the server rejects it later.
    ///
    /// # Errors
    /// Returns [`OutboxErrorKind::Recipients`], [`OutboxErrorKind::Notification`] or
    /// [`OutboxErrorKind::TooLarge`] for what a server would reject; nothing was sent to the
    /// database. Returns [`OutboxErrorKind::Database`] if the database failed; roll the transaction
    /// back.
    pub async fn push<C: OutboxConnection>(
        &self,
        connection: &mut C,
        user_ids: &[UserId],
        notification: &InternalNotification,
    ) -> Result<NotificationId, OutboxError> {
        let user_ids = recipients(user_ids)?;
        let body = body(notification)?;
        let id = notification.id.as_ref().map(NotificationId::as_str);
        let id = connection.insert(Intent { id, sender: &self.sender, user_ids, body }).await?;
        NotificationId::new(id).map_err(|error| {
            OutboxError::new(
                OutboxErrorKind::Database,
                format!("the database generated an invalid id: {error}"),
            )
        })
    }

    /// Creates the table of intents if it is missing, for apps without migrations. It may be called
    /// at every start.
    ///
    /// Migrations can execute `postgres::CREATE_TABLE` or `sqlite::CREATE_TABLE` instead.
    ///
    /// # Errors
    /// Returns [`OutboxErrorKind::Database`] if the database failed.
    pub async fn create_table<C: OutboxConnection>(connection: &mut C) -> Result<(), OutboxError> {
        Ok(connection.create_table().await?)
    }
}

/// Returns the recipients, each once, as a JSON array.
fn recipients(user_ids: &[UserId]) -> Result<String, OutboxError> {
    let user_ids = PushLimits::default().check_recipients(user_ids)?;
    // JSON escapes no character of a user id.
    let quoted: Vec<String> = user_ids.into_iter().map(|user| format!("\"{user}\"")).collect();
    Ok(format!("[{}]", quoted.join(",")))
}

fn body(notification: &InternalNotification) -> Result<String, OutboxError> {
    PushLimits::default().check_notification(notification)?;
    Ok(notification.clone().without_id().to_json()?)
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{MAX_NOTIFICATION_BYTES, MAX_RECIPIENTS};
    use serde_json::{Value, json};

    use super::*;

    fn users(count: usize) -> Vec<UserId> {
        (0..count).map(|n| format!("user-{n}").parse().unwrap()).collect()
    }

    fn rejected(notification: Value) -> OutboxErrorKind {
        body(&serde_json::from_value(notification).unwrap()).unwrap_err().kind()
    }

    #[test]
    fn a_name_is_1_to_64_letters_digits_or_punctuation() {
        assert_eq!(Outbox::new("orders_2.eu-w").unwrap().sender(), "outbox:orders_2.eu-w");
        for name in ["", "a b", "é", "a:b", "a\n", &"a".repeat(65)] {
            assert_eq!(Outbox::new(name).unwrap_err().kind(), OutboxErrorKind::Name, "{name:?}");
        }
        assert!(
            !Outbox::is_sender("key:shop") && !Outbox::is_sender("outbox:") && !Outbox::is_sender("shop")
        );
    }

    #[test]
    fn recipients_are_counted_once_each() {
        let odd = ["b", "a", "A-Z_0=@,.;9", "a"].map(|user| user.parse().unwrap());
        let text = recipients(&odd).unwrap();
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), ["A-Z_0=@,.;9", "a", "b"]);
        let most = users(MAX_RECIPIENTS);
        recipients(&[most.clone(), users(5)].concat()).unwrap();
        for wrong in [vec![], users(MAX_RECIPIENTS + 1)] {
            assert_eq!(recipients(&wrong).unwrap_err().kind(), OutboxErrorKind::Recipients);
        }
    }

    #[test]
    fn a_notification_that_a_server_would_reject_is_rejected() {
        assert_eq!(rejected(json!({"content": ""})), OutboxErrorKind::Notification);
        assert_eq!(rejected(json!({"content": "c", "id": ".."})), OutboxErrorKind::Notification);
        assert_eq!(rejected(json!({"content": "c", "sender": "me"})), OutboxErrorKind::Notification);
        assert_eq!(
            rejected(json!({"content": "c".repeat(MAX_NOTIFICATION_BYTES)})),
            OutboxErrorKind::TooLarge
        );
    }

    #[test]
    fn the_body_has_no_id() {
        let notification = InternalNotification::new("c").with_id("n".parse().unwrap());
        let body: Value = serde_json::from_str(&body(&notification).unwrap()).unwrap();
        assert_eq!((body["content"].as_str(), body.get("id")), (Some("c"), None));
    }
}
