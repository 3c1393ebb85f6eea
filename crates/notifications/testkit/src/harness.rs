use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{OfflinePush, ServiceError};

use crate::Device;

/// How the suite gets at a service: what its author writes once.
///
/// Users and ids are new in every run, so that a harness may stand before a server that many runs share. A harness may panic where it cannot
/// do its part; that counts against the bullet under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A new device of a user: a service of its own, not initialized, with what is needed to cut its connection alone.
    async fn device(&self, user: &UserId) -> Device;

    /// Pushes as a backend would, always as the same sender, whatever is cut.
    ///
    /// # Errors
    /// What the server refuses.
    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError>;

    /// What a push without a connection does (26). One that waits must wait for longer than [`patience`](Self::patience).
    fn offline_push(&self) -> OfflinePush {
        OfflinePush::default()
    }

    /// How many notifications the list holds at first (15). Keep it small: the suite pushes a few more than that.
    fn window(&self) -> usize {
        50
    }

    /// How many announcements wait for a reader, at most (18). The suite pushes a few more than that.
    fn announcements(&self) -> usize {
        256
    }

    /// How many writes wait for a connection, at most (25). The suite does one more than that.
    fn queue(&self) -> usize {
        500
    }

    /// Whether the service holds an inbox. One that holds nothing by choice, and pushes nothing, is put through what of each bullet needs no
    /// push; the other bullets are skipped, and the reason is printed. Nothing is then asked of the harness but devices.
    fn holds(&self) -> bool {
        true
    }

    /// How long the suite waits for what must happen. What takes longer is a violation, so be generous where a real server is behind it.
    fn patience(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Why a bullet does not apply to this service, for one that does nothing by choice, say. The reason is printed.
    fn skip(&self, _bullet: u8) -> Option<&'static str> {
        None
    }
}
