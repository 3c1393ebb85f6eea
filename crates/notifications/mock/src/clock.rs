use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::Timestamp;

use crate::hub::Shared;

/// The clock of a hub. Only a test advances it.
#[derive(Clone)]
pub struct MockClock(pub(crate) Arc<Shared>);

impl MockClock {
    /// Returns the current time. A new hub starts at 2026-01-01T00:00:00Z.
    pub fn now(&self) -> Timestamp {
        self.0.state().now
    }

    /// Advances the clock, without waiting.
    ///
    /// Notifications that are due by then are delivered, and expired ones removed, each at its own
    /// time. Then every live service whose [`position_check`] interval has passed checks its
    /// position.
    ///
    /// [`position_check`]: crate::MockServiceBuilder::position_check
    pub fn advance(&self, duration: Duration) {
        self.0.state().advance(duration);
    }
}

impl fmt::Debug for MockClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockClock").field(&self.now()).finish()
    }
}
