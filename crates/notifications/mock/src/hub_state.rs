mod delivery;
mod lifecycle;
mod push;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::{Timestamp, UserId};
use internal_notifications_service::ServiceError;
use tokio::sync::Notify;

use crate::counters::Counters;
use crate::device::{Device, not_initialized};
use crate::inboxes::Inboxes;
use crate::outlets::Outlets;
use crate::planned_faults::PlannedFaults;
use crate::service_builder::Settings;
use crate::trace::Trace;
use crate::{Backup, PushRecord};

/// Everything of a hub, under one lock: the server, the services and the lines between them. What a call causes has happened before it
/// returns.
pub(crate) struct HubState {
    pub(crate) now: Timestamp,
    pub(crate) inboxes: Inboxes,
    pub(crate) trace: Trace,
    pub(crate) pushes: VecDeque<PushRecord>,
    /// In the order in which they were made, which is the order in which they are told of things.
    devices: BTreeMap<u64, Device>,
    counters: Counters,
    /// Whether new services have a connection.
    is_up: bool,
}

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
            is_up: true,
        }
    }

    pub(crate) fn add(&mut self, user: &str, settings: Settings) -> (u64, Arc<Notify>) {
        let id = self.counters.device();
        let user = user_id(user);
        let changed = Arc::new(Notify::new());
        let device = Device {
            name: name(&user, id),
            user,
            faults: PlannedFaults::default(),
            is_online: self.is_up,
            changed: Arc::clone(&changed),
            session: None,
            outlets: Outlets::new(settings.announcement_queue),
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

    /// The last handle of a service is gone.
    pub(crate) fn forget(&mut self, id: u64) {
        self.devices.remove(&id);
    }

    pub(crate) fn device(&mut self, id: u64) -> Result<&mut Device, ServiceError> {
        self.devices.get_mut(&id).ok_or_else(not_initialized)
    }

    pub(crate) fn device_count(&self) -> usize {
        self.devices.len()
    }

    /// Every service's connection, and that of those to come.
    pub(crate) fn set_up(&mut self, is_up: bool) {
        self.is_up = is_up;
        for id in Vec::from_iter(self.devices.keys().copied()) {
            self.set_online(id, is_up);
        }
    }

    pub(crate) fn restore(&mut self, backup: &Backup) {
        self.pass(Duration::from_millis(1));
        self.inboxes = backup.0.clone();
        self.note_hub(format_args!("a backup is restored"));
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now.checked_add(duration).unwrap_or(Timestamp::MAX);
    }

    pub(crate) fn advance(&mut self, duration: Duration) {
        self.note_hub(format_args!("the clock goes on by {duration:?}"));
        let end = self.now.checked_add(duration).unwrap_or(Timestamp::MAX);
        while let Some(due) = self.inboxes.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            for (user, change) in self.inboxes.fall_due(self.now, &mut self.counters) {
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

    /// Notes a call and how it ended.
    fn noted<T>(&mut self, id: u64, what: &str, outcome: Result<T, ServiceError>) -> Result<T, ServiceError> {
        match &outcome {
            Ok(_) => self.note(id, format_args!("{what}")),
            Err(error) => self.note(id, format_args!("{what}: {:?}", error.kind())),
        }
        outcome
    }
}

fn user_id(user: &str) -> Result<UserId, String> {
    UserId::new(user).map_err(|error| error.to_string())
}

fn name(user: &Result<UserId, String>, id: u64) -> String {
    format!("{}#{id}", user.as_ref().map_or("?", UserId::as_str))
}
