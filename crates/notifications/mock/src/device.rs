use std::sync::Arc;

use internal_notifications_models::{LiveEvent, OpId, Timestamp, UserId};
use internal_notifications_service::{
    Announcement, Inbox, InboxEvent, InboxLog, InboxPublisher, InboxQuery, RefusedWrite, ServiceError,
    ServiceErrorKind, Status,
};
use tokio::sync::Notify;

use crate::planned_faults::PlannedFaults;
use crate::service_builder::Settings;

/// The state of one service, which is one device of a user.
pub(crate) struct Device {
    /// The name in the trace: `USER#NUMBER`.
    pub(crate) name: String,
    /// The user of the next `init`, or why `init` must fail.
    pub(crate) user: Result<UserId, String>,
    pub(crate) settings: Settings,
    pub(crate) faults: PlannedFaults,
    pub(crate) is_online: bool,
    /// Whether the hub refuses the user's token.
    pub(crate) is_refused: bool,
    /// How many calls of `init` wait to be released.
    pub(crate) starting: usize,
    /// How often the service was disposed.
    pub(crate) disposals: u64,
    /// Wakes calls that wait to be released, and pushes that wait for the connection.
    pub(crate) changed: Arc<Notify>,
    /// Present from `init` to `dispose`.
    pub(crate) session: Option<Session>,
    pub(crate) publisher: InboxPublisher,
}

/// The state of an initialized service.
pub(crate) struct Session {
    /// Unique for each `init`.
    pub(crate) number: u64,
    pub(crate) user: UserId,
    pub(crate) inbox: Inbox,
    pub(crate) is_paused: bool,
    /// How many notifications the list may hold now.
    pub(crate) window: usize,
    /// The time of the last position check.
    pub(crate) checked_at: Timestamp,
    /// Announcements that have not been published yet.
    announcements: Vec<Announcement>,
}

/// The maximum number of notifications in a page, as a server has it.
const PAGE: usize = 200;
/// The maximum number of changes in an answer, as a server has it.
const CHANGES: usize = 500;

impl Device {
    pub(crate) fn status(&self) -> Status {
        match &self.session {
            None if self.starting > 0 => Status::Starting,
            None => Status::Idle,
            Some(session) if session.is_paused => Status::Paused,
            Some(_) if self.is_refused => Status::Failed(refused()),
            Some(_) if !self.is_online => Status::Offline(no_connection()),
            Some(session) if session.inbox.is_catching_up() => Status::CatchingUp,
            Some(_) => Status::Live,
        }
    }

    /// Returns the session if live events and answers reach it.
    pub(crate) fn live(&mut self) -> Option<&mut Session> {
        let is_connected = self.is_connected();
        self.session.as_mut().filter(|session| is_connected && !session.is_paused)
    }

    /// Returns whether the hub takes this device's requests.
    pub(crate) fn is_connected(&self) -> bool {
        self.is_online && !self.is_refused
    }

    /// Returns why the hub does not take this device's requests.
    pub(crate) fn not_connected(&self) -> ServiceError {
        if self.is_refused { refused() } else { no_connection() }
    }

    pub(crate) fn initialized(&mut self) -> Result<&mut Session, ServiceError> {
        self.session.as_mut().ok_or_else(not_initialized)
    }

    /// Publishes the current snapshot and the announcements that belong to it.
    pub(crate) fn publish(&mut self) {
        let status = self.status();
        match &mut self.session {
            Some(session) => {
                let announcements = std::mem::take(&mut session.announcements);
                self.publisher.publish(session.inbox.snapshot(status), announcements);
            }
            None => self.publisher.set_status(status),
        }
    }

    /// Ends the session and its streams.
    pub(crate) fn end(&mut self) {
        self.session = None;
        self.publisher.restart();
    }
}

impl Session {
    pub(crate) fn new(number: u64, user: UserId, settings: &Settings, now: Timestamp) -> Self {
        Self {
            number,
            user,
            inbox: Inbox::new(settings.window),
            is_paused: false,
            window: settings.window,
            checked_at: now,
            announcements: Vec::new(),
        }
    }

    pub(crate) fn on_live(&mut self, event: LiveEvent) {
        let events = self.inbox.on_live(event);
        self.collect(events);
    }

    /// Answers a question of the replica from the hub's log.
    pub(crate) fn answer(&mut self, query: InboxQuery, log: &InboxLog) {
        let at = self.inbox.head().position;
        let events = match query {
            InboxQuery::Changes { after } => self.inbox.on_changes(after, log.changes(after, CHANGES, PAGE)),
            InboxQuery::Older { before, limit } => {
                self.inbox.on_older(at, before, log.page(limit, Some(before)));
                Vec::new()
            }
            _ => self.inbox.on_snapshot(log.page(self.window.min(PAGE), None)),
        };
        self.collect(events);
    }

    /// Rolls back the queued writes of a request that was refused.
    pub(crate) fn roll_back(&mut self, op: &OpId, error: &ServiceError) {
        for event in self.inbox.on_refused(op) {
            if let InboxEvent::RolledBack(write) = event {
                let refused = RefusedWrite::new(write.command, error.clone());
                self.announcements.push(Announcement::WriteRefused(Arc::new(refused)));
            }
        }
    }

    fn collect(&mut self, events: Vec<InboxEvent>) {
        self.announcements.extend(events.into_iter().filter_map(|event| match event {
            InboxEvent::Announce(announcement) => Some(announcement),
            _ => None,
        }));
    }
}

pub(crate) fn not_initialized() -> ServiceError {
    ServiceError::new(ServiceErrorKind::NotInitialized, "the service is not initialized, or is disposed")
}

pub(crate) fn no_connection() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, "there is no connection to the hub")
}

fn refused() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unauthorized, "the hub refuses the user's token")
}
