use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::Timestamp;

use crate::hub::Shared;

/// The hub's clock: it stands still until it is told to go on.
#[derive(Clone)]
pub struct MockClock(pub(crate) Arc<Shared>);

impl MockClock {
    /// Now. A new hub is at 2026-01-01T00:00:00Z.
    pub fn now(&self) -> Timestamp {
        self.0.state().now
    }

    /// Lets time pass, at once. What falls due on the way is delivered and expires, each at its time. Live services whose last position check is as long ago as their
    /// [`position_check`](crate::MockServiceBuilder::position_check) make one.
    pub fn advance(&self, duration: Duration) {
        self.0.state().advance(duration);
    }
}

impl fmt::Debug for MockClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockClock").field(&self.now()).finish()
    }
}
