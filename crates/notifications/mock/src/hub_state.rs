mod delivery;
mod lifecycle;
mod push;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use internal_notifications_service::{InboxPublisher, ServiceError};
use tokio::sync::Notify;

use crate::counters::Counters;
use crate::device::{Device, not_initialized};
use crate::inboxes::Inboxes;
use crate::planned_faults::PlannedFaults;
use crate::service_builder::Settings;
use crate::trace::Trace;
use crate::{Backup, PushRecord};

/// The whole state of a hub, under one lock: the server, the devices and their connections.
///
/// All effects of a call have happened when it returns.
pub(crate) struct HubState {
    pub(crate) now: Timestamp,
    pub(crate) inboxes: Inboxes,
    pub(crate) trace: Trace,
    pub(crate) pushes: VecDeque<PushRecord>,
    /// Ordered by creation, which is also the order in which events are delivered.
    devices: BTreeMap<u64, Device>,
    counters: Counters,
    /// Whether new devices have a connection.
    is_online: bool,
}

const NO_USER: &str = "the mock has no user: give its builder a `user` or an `identity`";

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

impl HubState {
    pub(crate) fn new() -> Self {
        Self {
            now: START,
            inboxes: Inboxes::default(),
            trace: Trace::default(),
            pushes: VecDeque::new(),
            devices: BTreeMap::new(),
            counters: Counters::default(),
            is_online: true,
        }
    }

    pub(crate) fn add(&mut self, user: Option<&str>, settings: Settings) -> (u64, Arc<Notify>) {
        let id = self.counters.device();
        let user = user.map_or_else(|| Err(NO_USER.to_owned()), user_id);
        let changed = Arc::new(Notify::new());
        let device = Device {
            name: name(&user, id),
            user,
            faults: PlannedFaults::default(),
            is_online: self.is_online,
            is_refused: false,
            starting: 0,
            disposals: 0,
            changed: Arc::clone(&changed),
            session: None,
            publisher: InboxPublisher::new(settings.announcement_queue),
            settings,
        };
        self.devices.insert(id, device);
        (id, changed)
    }

    pub(crate) fn set_user(&mut self, id: u64, user: &str) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.user = user_id(user);
        }
    }

    /// Removes the device of a service whose last handle was dropped.
    pub(crate) fn forget(&mut self, id: u64) {
        self.devices.remove(&id);
    }

    pub(crate) fn device(&mut self, id: u64) -> Result<&mut Device, ServiceError> {
        self.devices.get_mut(&id).ok_or_else(not_initialized)
    }

    pub(crate) fn device_count(&self) -> usize {
        self.devices.len()
    }

    /// Cuts or restores the connections of all devices, including future ones.
    pub(crate) fn set_all_online(&mut self, is_online: bool) {
        self.is_online = is_online;
        for id in Vec::from_iter(self.devices.keys().copied()) {
            self.set_online(id, is_online);
        }
    }

    pub(crate) fn restore(&mut self, backup: &Backup) {
        self.now = later(self.now, Duration::from_millis(1));
        self.inboxes = backup.0.clone();
        self.note_hub(format_args!("restores a backup"));
    }

    pub(crate) fn advance(&mut self, duration: Duration) {
        self.note_hub(format_args!("advances the clock by {duration:?}"));
        let end = later(self.now, duration);
        while let Some(due) = self.inboxes.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            for (user, change) in self.inboxes.run_due(self.now, &mut self.counters) {
                self.deliver(&user, &change);
            }
        }
        self.now = end;
        let now = self.now;
        let is_due = |device: &mut Device| {
            let interval = device.settings.position_check;
            device
                .live()
                .is_some_and(|session| now.duration_since(session.checked_at).unsigned_abs() >= interval)
        };
        let due: Vec<u64> =
            self.devices.iter_mut().filter_map(|(id, device)| is_due(device).then_some(*id)).collect();
        due.into_iter().for_each(|id| self.check_position(id));
    }

    pub(crate) fn note_hub(&mut self, what: fmt::Arguments<'_>) {
        self.trace.note(self.now, "hub", what);
    }

    fn note(&mut self, id: u64, what: fmt::Arguments<'_>) {
        if let Some(device) = self.devices.get(&id) {
            self.trace.note(self.now, &device.name, what);
        }
    }

    /// Notes a call and its outcome.
    fn note_outcome<T>(
        &mut self,
        id: u64,
        what: &str,
        outcome: Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        match &outcome {
            Ok(_) => self.note(id, format_args!("{what}")),
            Err(error) => self.note(id, format_args!("{what}: {:?}", error.kind())),
        }
        outcome
    }
}

fn later(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn user_id(user: &str) -> Result<UserId, String> {
    UserId::new(user).map_err(|error| error.to_string())
}

fn name(user: &Result<UserId, String>, id: u64) -> String {
    format!("{}#{id}", user.as_ref().map_or("?", UserId::as_str))
}
