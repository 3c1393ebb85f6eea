use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{OfflinePush, ServiceError};

use crate::Device;

/// Connects the suite to the service under test. The author of a service implements it once.
///
/// Only [`device`](Self::device) and [`push`](Self::push) are required; the other methods state
/// the limits of the service. The suite uses new users and ids in every run, so a harness may
/// share one server with other runs. If a harness cannot do its part it may panic; that fails the
/// bullet under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Creates a new device of a user: a separate service that is not initialized, with a
    /// connection that can be cut without affecting other devices.
    async fn device(&self, user: &UserId) -> Device;

    /// Pushes a notification as a backend does: always as the same sender, and even while
    /// connections of devices are cut.
    ///
    /// # Errors
    /// Returns the server's error if it rejects the push.
    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError>;

    /// Returns what a push does without a connection (bullet 26): fail, the default, or wait. A
    /// push that waits must wait longer than [`timeout`](Self::timeout).
    fn offline_push(&self) -> OfflinePush {
        OfflinePush::default()
    }

    /// The number of notifications in the list before `load_older` (bullet 15), 50 by default. Keep
    /// it small: the suite pushes a few more than that.
    fn window(&self) -> usize {
        50
    }

    /// The maximum number of announcements that wait for a slow reader (bullet 18), 256 by default.
    /// The suite pushes a few more than that.
    fn announcement_queue(&self) -> usize {
        256
    }

    /// The maximum number of writes that wait for a connection (bullet 25), 500 by default. The
    /// suite makes one more than that.
    fn write_queue(&self) -> usize {
        500
    }

    /// Whether the service has an inbox, true by default.
    ///
    /// Return false for a service that stores nothing on purpose, such as one that is switched
    /// off. The suite then calls [`device`](Self::device) only, tests the part of each bullet that
    /// needs no stored notification, and skips the other bullets.
    fn has_inbox(&self) -> bool {
        true
    }

    /// The longest time that the suite waits for something that must happen, 10 s by default.
    /// Anything slower is a violation, so be generous if a real server is involved.
    fn timeout(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Returns a reason to skip a bullet that does not apply to the service, none by default. The
    /// reason is printed.
    fn skip(&self, _bullet: u8) -> Option<&'static str> {
        None
    }
}
