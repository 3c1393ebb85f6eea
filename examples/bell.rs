//! A small app: a bell with the number of what is new, and greetings for friends. Its tests are in `tests/app.rs`.

use internal_notifications::{
    InternalNotification, InternalNotifications, InternalNotificationsService, ServiceError, UserId,
};

/// The app, around the inbox of its user.
pub struct Bell(pub InternalNotifications);

impl Bell {
    /// How the bell looks now.
    pub fn face(&self) -> String {
        match self.0.snapshot().pending {
            0 => "🔔".to_owned(),
            pending => format!("🔔 {pending}"),
        }
    }

    /// Rings a friend's bell.
    pub async fn greet(&self, friend: UserId) -> Result<(), ServiceError> {
        self.0.push(&[friend], InternalNotification::new("Hello!")).await?;
        Ok(())
    }

    /// Silences the user's own bell.
    pub async fn answer(&self) -> Result<(), ServiceError> {
        self.0.mark_all_opened().await?;
        Ok(())
    }
}
