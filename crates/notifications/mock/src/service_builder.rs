use std::time::Duration;

use internal_notifications_service::{MAX_WINDOW, OfflinePush};

use crate::{MockHub, MockService};

/// Builds a [`MockService`] that is not as the default.
#[derive(Clone, Debug)]
pub struct MockServiceBuilder {
    hub: MockHub,
    user: String,
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

/// The most writes that a replica keeps.
const MOST_WRITES: usize = 500;

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: 200,
            max_window: MAX_WINDOW,
            announcement_queue: 256,
            write_queue: MOST_WRITES,
            offline_push: OfflinePush::default(),
            position_check: Duration::from_secs(60),
        }
    }
}

impl MockServiceBuilder {
    pub(crate) fn new(hub: MockHub, user: String) -> Self {
        Self { hub, user, settings: Settings::default() }
    }

    /// How many of the newest notifications the list holds before `load_older`: at least 1, 200 by default.
    pub fn window(mut self, notifications: usize) -> Self {
        self.settings.window = notifications.clamp(1, MAX_WINDOW);
        self
    }

    /// How many notifications the list holds at most, after any `load_older`: [`MAX_WINDOW`] by default.
    pub fn max_window(mut self, notifications: usize) -> Self {
        self.settings.max_window = notifications.min(MAX_WINDOW);
        self
    }

    /// How many announcements wait for a reader before it is told [`Skipped`](internal_notifications_service::Announcement::Skipped):
    /// at least 1, 256 by default. Rounded up to a power of two.
    pub fn announcement_queue(mut self, announcements: usize) -> Self {
        self.settings.announcement_queue = announcements.clamp(1, 1 << 16);
        self
    }

    /// How many writes wait for a connection: at most 500, which is also the default.
    pub fn write_queue(mut self, writes: usize) -> Self {
        self.settings.write_queue = writes.min(MOST_WRITES);
        self
    }

    /// What a push does without a connection: by default it errs.
    pub fn offline_push(mut self, choice: OfflinePush) -> Self {
        self.settings.offline_push = choice;
        self
    }

    /// How long after a position check the next one is made, when the hub's clock is told to go on. 60 s by default.
    pub fn position_check(mut self, interval: Duration) -> Self {
        self.settings.position_check = interval;
        self
    }

    /// The service.
    pub fn build(self) -> MockService {
        MockService::new(&self.hub, &self.user, self.settings)
    }
}
