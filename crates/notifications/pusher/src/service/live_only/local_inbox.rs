use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, InboxNotification, InternalNotification, LiveEvent, NotificationId,
    Tag, Timestamp,
};
use internal_notifications_service::{
    Inbox, InboxCommand, InboxEvent, InboxLog, InboxQuery, MAX_WINDOW, Refused, ServiceError,
    ServiceErrorKind, WindowFull,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// An in-memory inbox of the notifications received over the channel: a server's change log, and
/// the replica that follows it.
pub(super) struct LocalInbox {
    log: InboxLog,
    replica: Inbox,
    /// Notifications received since the ids of removed ones were last forgotten.
    received: usize,
}

/// The sender of a notification that names none.
const SENDER: &str = "unknown";
/// The most notifications that are held, except for those received since the last trimming.
const MAX_NOTIFICATIONS: usize = MAX_WINDOW;
/// How many notifications are received between two trimmings.
const TRIM_EVERY: usize = 500;
/// How many notifications are received before the ids of removed ones are forgotten. A forgotten id
/// counts as new.
const FORGET_EVERY: usize = 20_000;

impl LocalInbox {
    pub(super) fn new(window: usize) -> Self {
        let (log, mut replica) = (InboxLog::new(), Inbox::new(window));
        replica.on_snapshot(log.page(window, None));
        Self { log, replica, received: 0 }
    }

    pub(super) fn replica(&self) -> &Inbox {
        &self.replica
    }

    /// Adds the notification of an event. Ignores an event that is malformed or not a notification.
    pub(super) fn on_event(&mut self, data: &str, rng: &mut StdRng) -> Vec<InboxEvent> {
        let now = Timestamp::now();
        let (notification, sender, at) = match LiveEvent::parse(data) {
            Some(LiveEvent::Bare(notification)) => (*notification, SENDER.to_owned(), now),
            Some(LiveEvent::Change(Change { kind: ChangeKind::Added { notification }, .. })) => {
                let (sender, at) = (notification.sender.clone(), notification.created_at);
                (as_sent(*notification), sender, at)
            }
            _ => {
                tracing::debug!("an event was not a notification");
                return Vec::new();
            }
        };
        let id = notification.id.clone().or_else(|| new_id(now, rng));
        let Some(id) = id else { return Vec::new() };
        let added = self.log.add(&id, &notification, &sender, at, tag(rng.random()));
        let Some(added) = added else { return Vec::new() };
        let mut events = self.replica.on_live(LiveEvent::Change(added));
        self.log.trim(self.log.head().position.seq);
        self.received += 1;
        if self.received % TRIM_EVERY == 0 {
            events.extend(self.trim(rng));
        }
        self.fill();
        events
    }

    /// Applies a write. Its tag is made from `random`.
    pub(super) fn write(
        &mut self,
        command: &InboxCommand,
        random: u64,
    ) -> Result<Vec<InboxEvent>, ServiceError> {
        let before = self.log.head().position;
        // The log does not keep its tags, and there is only one history.
        let command = match command {
            InboxCommand::OpenedAll { through, .. } => {
                &InboxCommand::OpenedAll { through: *through, tag: None }
            }
            command => command,
        };
        self.log.write(command, None, Timestamp::now(), tag(random)).map_err(|refused| {
            let kind = match refused {
                Refused::Unknown => ServiceErrorKind::Unknown,
                _ => ServiceErrorKind::Conflict,
            };
            ServiceError::new(kind, refused.to_string())
        })?;
        let changes = match self.log.changes(before, 1, 0) {
            ChangesAnswer::Changes { changes, .. } => changes,
            ChangesAnswer::Reset { .. } => Vec::new(),
        };
        let apply = |change| self.replica.on_live(LiveEvent::Change(change));
        let events = changes.into_iter().flat_map(apply).collect();
        self.log.trim(self.log.head().position.seq);
        self.fill();
        Ok(events)
    }

    /// Extends the list by this many older notifications.
    pub(super) fn load_older(&mut self, count: usize) -> Result<(), WindowFull> {
        self.replica.load_older(count)?;
        self.fill();
        Ok(())
    }

    /// Loads as many notifications as the list has room for.
    fn fill(&mut self) {
        while let Some(InboxQuery::Older { before, limit }) = self.replica.next_query() {
            let page = self.log.page(limit, Some(before));
            self.replica.on_older(self.replica.head().position, before, page);
        }
    }

    /// Removes the oldest notifications, and now and then forgets removed ids.
    fn trim(&mut self, rng: &mut StdRng) -> Vec<InboxEvent> {
        if self.received >= FORGET_EVERY {
            self.received = 0;
            self.log.forget_removed();
        }
        let oldest = self.log.page(usize::MAX, None).notifications.into_iter().skip(MAX_NOTIFICATIONS);
        let removed = oldest.filter_map(|row| self.write(&InboxCommand::Remove(row.id), rng.random()).ok());
        removed.flatten().collect()
    }
}

/// Returns the notification as its sender wrote it.
fn as_sent(row: InboxNotification) -> InternalNotification {
    row.into()
}

fn new_id(now: Timestamp, rng: &mut dyn Rng) -> Option<NotificationId> {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &rng.random());
    NotificationId::new(id.into_uuid().to_string()).ok()
}

fn tag(random: u64) -> Tag {
    Tag::from_bits(random)
}
