use internal_notifications_models::{InternalNotification, NotificationId, PushLimits, UserId};

use crate::connection::{OutboxConnection, sealed::Intent};
use crate::error::{OutboxError, OutboxErrorKind};

/// Where a part of an app puts what it pushes. Made once, it is cheap to clone and holds no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbox {
    sender: String,
}

impl Outbox {
    /// An outbox of this name, 1 to 64 ASCII letters, digits or `_-.`; what is pushed through it has the sender `outbox:NAME`.
    ///
    /// # Errors
    /// [`OutboxErrorKind::Name`].
    pub fn new(name: impl AsRef<str>) -> Result<Self, OutboxError> {
        let sender = format!("outbox:{}", name.as_ref());
        match Self::is_sender(&sender) {
            true => Ok(Self { sender }),
            false => Err(OutboxError::new(
                OutboxErrorKind::Name,
                "the name of an outbox is 1 to 64 ASCII letters, digits or _-.",
            )),
        }
    }

    /// Whether this is the sender of some outbox.
    pub fn is_sender(sender: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let name = sender.strip_prefix("outbox:");
        name.is_some_and(|name| (1..=64).contains(&name.len()) && name.bytes().all(allowed))
    }

    /// Who its notifications are from: `outbox:NAME`.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// Pushes with the transaction that `connection` is in: once it is committed, a server delivers the notification to these users; rolled
    /// back, there never was one. It inserts one row, locks nothing else, and does not wait for a server.
    ///
    /// Gives the notification's id, a UUIDv7 where it has none. A notification with an id of its own is stored once, however often it is pushed;
    /// with another body or from another sender the server refuses it later.
    ///
    /// # Errors
    /// [`OutboxErrorKind::Recipients`], [`OutboxErrorKind::Notification`], [`OutboxErrorKind::TooLarge`] for what a server would refuse:
    /// nothing was sent to the database. [`OutboxErrorKind::Database`] when the database did not do it: roll back.
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
        NotificationId::new(id)
            .map_err(|error| OutboxError::new(OutboxErrorKind::Database, format!("it made no id: {error}")))
    }

    /// Makes the table where it is missing, for apps whose migrations do not: what `CREATE_TABLE` of `postgres` and `sqlite` says.
    ///
    /// # Errors
    /// [`OutboxErrorKind::Database`].
    pub async fn create_table<C: OutboxConnection>(connection: &mut C) -> Result<(), OutboxError> {
        Ok(connection.create_table().await?)
    }
}

/// Returns the recipients, each once, as a JSON array.
fn recipients(user_ids: &[UserId]) -> Result<String, OutboxError> {
    let user_ids = PushLimits::default().check_recipients(user_ids)?;
    // No character of a user id's alphabet is escaped in JSON.
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

    fn refused(notification: Value) -> OutboxErrorKind {
        body(&serde_json::from_value(notification).unwrap()).unwrap_err().kind()
    }

    #[test]
    fn a_name_is_of_a_small_alphabet() {
        assert_eq!(Outbox::new("orders_2.eu-w").unwrap().sender(), "outbox:orders_2.eu-w");
        for name in ["", "a b", "é", "a:b", "a\n", &"a".repeat(65)] {
            assert_eq!(Outbox::new(name).unwrap_err().kind(), OutboxErrorKind::Name, "{name:?}");
        }
        assert!(
            !Outbox::is_sender("key:shop") && !Outbox::is_sender("outbox:") && !Outbox::is_sender("shop")
        );
    }

    #[test]
    fn recipients_are_counted_each_once() {
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
    fn what_a_server_would_refuse_is_refused_here() {
        assert_eq!(refused(json!({"content": ""})), OutboxErrorKind::Notification);
        assert_eq!(refused(json!({"content": "c", "sender": "me"})), OutboxErrorKind::Notification);
        assert_eq!(
            refused(json!({"content": "c".repeat(MAX_NOTIFICATION_BYTES)})),
            OutboxErrorKind::TooLarge
        );
    }

    #[test]
    fn the_id_stands_beside_the_body() {
        let notification = InternalNotification::new("c").with_id("n".parse().unwrap());
        let body: Value = serde_json::from_str(&body(&notification).unwrap()).unwrap();
        assert_eq!((body["content"].as_str(), body.get("id")), (Some("c"), None));
    }
}
