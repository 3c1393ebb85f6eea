use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_service::{Identity, MAX_WINDOW, OfflinePush};

use crate::{MockHub, MockService};

/// Builds a [`MockService`].
#[derive(Clone, Default)]
pub struct MockServiceBuilder {
    hub: Option<MockHub>,
    user: Option<String>,
    identity: Option<Arc<dyn Identity>>,
    settings: Settings,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) window: usize,
    pub(crate) max_window: usize,
    pub(crate) announcement_queue: usize,
    pub(crate) write_queue: usize,
    pub(crate) offline_push: OfflinePush,
    pub(crate) position_check: Duration,
}

/// The maximum number of writes that a replica keeps.
const MAX_WRITES: usize = 500;

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: 200,
            max_window: MAX_WINDOW,
            announcement_queue: 256,
            write_queue: MAX_WRITES,
            offline_push: OfflinePush::default(),
            position_check: Duration::from_secs(60),
        }
    }
}

impl MockServiceBuilder {
    /// Creates a builder with the default settings and no user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the hub. By default the service creates its own hub.
    pub fn hub(mut self, hub: MockHub) -> Self {
        self.hub = Some(hub);
        self
    }

    /// Sets the user. If the text is not a valid user id, `init` fails.
    pub fn user(mut self, user: impl AsRef<str>) -> Self {
        self.user = Some(user.as_ref().to_owned());
        self
    }

    /// Sets the identity that each `init` asks for the user. The token is not checked.
    ///
    /// The identity takes precedence over [`user`](Self::user).
    pub fn identity(mut self, identity: impl Identity + 'static) -> Self {
        self.identity = Some(Arc::new(identity));
        self
    }

    /// Returns whether a user or an identity has been set.
    pub fn has_user(&self) -> bool {
        self.user.is_some() || self.identity.is_some()
    }

    /// Sets how many of the newest notifications the list holds before `load_older`: at least 1,
    /// 200 by default.
    pub fn window(mut self, notifications: usize) -> Self {
        self.settings.window = notifications.clamp(1, MAX_WINDOW);
        self
    }

    /// Sets how many notifications the list can hold after `load_older`: at most [`MAX_WINDOW`],
    /// which is the default.
    pub fn max_window(mut self, notifications: usize) -> Self {
        self.settings.max_window = notifications.min(MAX_WINDOW);
        self
    }

    /// Sets how many announcements wait for a slow reader before it receives
    /// [`Skipped`](internal_notifications_service::Announcement::Skipped): at least 1, 256 by
    /// default. Rounded up to a power of two.
    pub fn announcement_queue(mut self, announcements: usize) -> Self {
        self.settings.announcement_queue = announcements.clamp(1, 1 << 16);
        self
    }

    /// Sets how many writes can wait for a connection: at most 500, which is the default.
    pub fn write_queue(mut self, writes: usize) -> Self {
        self.settings.write_queue = writes.min(MAX_WRITES);
        self
    }

    /// Sets what a push does without a connection: fail, the default, or wait.
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        self.settings.offline_push = choice;
        self
    }

    /// Sets the interval of position checks, measured by the hub's clock. 60 s by default.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.settings.position_check = interval;
        self
    }

    /// Builds the service. Without a user and an identity its `init` fails.
    pub fn build(self) -> MockService {
        let hub = self.hub.unwrap_or_default();
        MockService::new(&hub, self.user.as_deref(), self.identity, self.settings)
    }
}

impl fmt::Debug for MockServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockServiceBuilder")
            .field("hub", &self.hub)
            .field("user", &self.user)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
