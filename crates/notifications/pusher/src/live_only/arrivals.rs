use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, InboxNotification, InternalNotification, LiveEvent, NotificationId,
    Tag, Timestamp,
};
use internal_notifications_service::{
    Ask, Inbox, InboxCommand, InboxEvent, InboxLog, MAX_WINDOW, Refused, ServiceError, ServiceErrorKind,
    WindowFull,
};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

/// What came over the channel: a change log as a server has it, and the replica that follows it. Nothing but what comes is in it.
pub(super) struct Arrivals {
    log: InboxLog,
    inbox: Inbox,
    /// How many came since removed ones were forgotten.
    came: usize,
}

/// Who sent what names no sender.
const SENDER: &str = "unknown";
/// The most notifications that are held, but for those that came since it was last looked.
const MOST: usize = MAX_WINDOW;
const FORGET_EVERY: usize = 500;
/// After so many the ids of those that are gone are forgotten: one of them would be taken for new.
const REMEMBERED: usize = 20_000;

impl Arrivals {
    pub(super) fn new(window: usize) -> Self {
        let (log, mut inbox) = (InboxLog::new(), Inbox::new(window));
        inbox.on_snapshot(log.page(window, None));
        Self { log, inbox, came: 0 }
    }

    pub(super) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// An event came. One that cannot be read, or is no notification, is none.
    pub(super) fn on_event(&mut self, data: &str, rng: &mut StdRng) -> Vec<InboxEvent> {
        let now = Timestamp::now();
        let (notification, sender, at) = match LiveEvent::parse(data) {
            Some(LiveEvent::Bare(notification)) => (*notification, SENDER.to_owned(), now),
            Some(LiveEvent::Change(Change { kind: ChangeKind::Added { notification }, .. })) => {
                let (sender, at) = (notification.sender.clone(), notification.created_at);
                (as_sent(*notification), sender, at)
            }
            _ => {
                tracing::debug!("an event was no notification");
                return Vec::new();
            }
        };
        let id = notification.id.clone().or_else(|| new_id(now, rng));
        let Some(id) = id else { return Vec::new() };
        let added = self.log.add(&id, &notification, &sender, at, tag(rng.random()));
        let Some(added) = added else { return Vec::new() };
        let mut events = self.inbox.on_live(LiveEvent::Change(added));
        self.log.trim(self.log.head().position.seq);
        self.came += 1;
        if self.came % FORGET_EVERY == 0 {
            events.extend(self.forget(rng));
        }
        self.fill();
        events
    }

    /// Does a write; `random` makes its tag.
    pub(super) fn write(
        &mut self,
        command: &InboxCommand,
        random: u64,
    ) -> Result<Vec<InboxEvent>, ServiceError> {
        let before = self.log.head().position;
        // There is but one history, whose tags are forgotten.
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
        let events = changes.into_iter().flat_map(|change| self.inbox.on_live(LiveEvent::Change(change)));
        let events = events.collect();
        self.log.trim(self.log.head().position.seq);
        self.fill();
        Ok(events)
    }

    /// Holds so many more in the list, of those that came.
    pub(super) fn load_older(&mut self, count: usize) -> Result<(), WindowFull> {
        self.inbox.load_older(count)?;
        self.fill();
        Ok(())
    }

    /// Takes into the list what there is room for.
    fn fill(&mut self) {
        while let Some(Ask::Older { before, limit }) = self.inbox.wants() {
            let page = self.log.page(limit, Some(before));
            self.inbox.on_older(self.inbox.head().position, before, page);
        }
    }

    /// Keeps it bounded: the oldest go.
    fn forget(&mut self, rng: &mut StdRng) -> Vec<InboxEvent> {
        if self.came >= REMEMBERED {
            self.came = 0;
            self.log.forget_removed();
        }
        let oldest = self.log.page(usize::MAX, None).notifications.into_iter().skip(MOST);
        let gone = oldest.filter_map(|row| self.write(&InboxCommand::Remove(row.id), rng.random()).ok());
        gone.flatten().collect()
    }
}

/// A notification as its sender wrote it.
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
