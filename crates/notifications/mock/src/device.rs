use std::sync::Arc;

use internal_notifications_models::{LiveEvent, OpId, Timestamp, UserId};
use internal_notifications_service::{
    Announcement, Inbox, InboxCommand, InboxEvent, InboxLog, InboxQuery, RefusedWrite, ServiceError,
    ServiceErrorKind, Status,
};
use tokio::sync::Notify;

use crate::outlets::Outlets;
use crate::planned_faults::PlannedFaults;
use crate::service_builder::Settings;

/// One service of one user, as the hub sees it.
pub(crate) struct Device {
    /// For the trace.
    pub(crate) name: String,
    /// The user, or why there can be no such user.
    pub(crate) user: Result<UserId, String>,
    pub(crate) settings: Settings,
    pub(crate) faults: PlannedFaults,
    pub(crate) is_online: bool,
    /// Told when a push that waits should look again.
    pub(crate) changed: Arc<Notify>,
    /// From `init` to `dispose`.
    pub(crate) session: Option<Session>,
    pub(crate) outlets: Outlets,
}

/// What an initialized service holds.
pub(crate) struct Session {
    /// Another one for each `init`.
    pub(crate) number: u64,
    pub(crate) user: UserId,
    pub(crate) inbox: Inbox,
    pub(crate) is_paused: bool,
    /// How many notifications the list may hold now.
    pub(crate) max_window: usize,
    /// When its position was last compared with the hub's.
    pub(crate) checked_at: Timestamp,
    /// Not told yet.
    announcements: Vec<Announcement>,
}

/// As a server's: notifications of a page, changes of an answer.
const PAGE: usize = 200;
const CHANGES: usize = 500;

impl Device {
    pub(crate) fn status(&self) -> Status {
        match &self.session {
            None => Status::Idle,
            Some(session) if session.is_paused => Status::Paused,
            Some(_) if !self.is_online => Status::Offline,
            Some(session) if session.inbox.is_catching_up() => Status::CatchingUp,
            Some(_) => Status::Live,
        }
    }

    /// The session, if live events and answers reach it.
    pub(crate) fn live(&mut self) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| self.is_online && !session.is_paused)
    }

    pub(crate) fn initialized(&mut self) -> Result<&mut Session, ServiceError> {
        self.session.as_mut().ok_or_else(not_initialized)
    }

    /// Readers see what is now.
    pub(crate) fn publish(&mut self) {
        let status = self.status();
        let Some(session) = &mut self.session else { return };
        let snapshot = session.inbox.snapshot(status);
        self.outlets.tell(snapshot, std::mem::take(&mut session.announcements));
    }

    /// Ends the session and its streams.
    pub(crate) fn end(&mut self) {
        self.session = None;
        self.outlets = Outlets::new(self.settings.announcement_queue);
    }
}

impl Session {
    pub(crate) fn new(number: u64, user: UserId, settings: &Settings, now: Timestamp) -> Self {
        Self {
            number,
            user,
            inbox: Inbox::new(settings.window),
            is_paused: false,
            max_window: settings.window,
            checked_at: now,
            announcements: Vec::new(),
        }
    }

    pub(crate) fn on_live(&mut self, event: LiveEvent) {
        let events = self.inbox.on_live(event);
        self.keep(events);
    }

    /// Brings the hub's answer to what the replica asks.
    pub(crate) fn answer(&mut self, ask: InboxQuery, log: &InboxLog) {
        let at = self.inbox.head().position;
        let events = match ask {
            InboxQuery::Changes { after } => self.inbox.on_changes(after, log.changes(after, CHANGES, PAGE)),
            InboxQuery::Older { before, limit } => {
                self.inbox.on_older(at, before, log.page(limit, Some(before)));
                Vec::new()
            }
            _ => self.inbox.on_snapshot(log.page(self.max_window.min(PAGE), None)),
        };
        self.keep(events);
    }

    /// A queued write was refused and is shown no more.
    pub(crate) fn roll_back(&mut self, op: &OpId, command: InboxCommand, error: ServiceError) {
        self.inbox.on_refused(op);
        self.announcements.push(Announcement::WriteRefused(Arc::new(RefusedWrite::new(command, error))));
    }

    fn keep(&mut self, events: Vec<InboxEvent>) {
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
