//! A small app: a bell with the pending count, and greetings for friends. `tests/app.rs` tests it.

use internal_notifications::{InternalNotification, InternalNotifications, ServiceError};

/// The app of one user.
pub struct Bell {
    /// The user's inbox.
    pub inbox: InternalNotifications,
}

impl Bell {
    /// Returns the bell as the app shows it.
    pub fn face(&self) -> String {
        match self.inbox.snapshot().pending {
            0 => "🔔".to_owned(),
            pending => format!("🔔 {pending}"),
        }
    }

    /// Rings a friend's bell.
    pub async fn greet(&self, friend: &str) -> Result<(), ServiceError> {
        self.inbox.push([friend], InternalNotification::new("Hello!")).await?;
        Ok(())
    }

    /// Marks everything opened, on all of the user's devices.
    pub async fn open_all(&self) -> Result<(), ServiceError> {
        self.inbox.mark_all_opened().await?;
        Ok(())
    }
}
