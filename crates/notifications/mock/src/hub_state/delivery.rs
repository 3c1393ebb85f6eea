use internal_notifications_models::{
    Change, ChangeKind, InternalNotification, LiveEvent, NotificationId, UserId,
};
use internal_notifications_service::{InboxQuery, WriteRequest};

use super::HubState;
use crate::device::Device;

/// The maximum length of a live event's `data`, which is Pusher Channels' limit. A longer event is
/// delivered thin.
const MAX_EVENT_BYTES: usize = 10_240;

impl HubState {
    pub(crate) fn set_online(&mut self, id: u64, is_online: bool) {
        let Some(device) = self.devices.get_mut(&id).filter(|device| device.is_online != is_online) else {
            return;
        };
        device.is_online = is_online;
        self.note(id, format_args!("{}", if is_online { "goes online" } else { "goes offline" }));
        self.reconnect(id);
    }

    /// Catches up and sends what waits, if the hub can be reached now.
    pub(super) fn reconnect(&mut self, id: u64) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        if device.is_connected() {
            device.changed.notify_waiters();
            if let Some(session) = &mut device.session {
                session.inbox.catch_up();
            }
        }
        self.flush(id);
    }

    /// Makes the device look for missed changes.
    pub(super) fn start_catch_up(&mut self, id: u64) {
        if let Some(session) = self.devices.get_mut(&id).and_then(Device::live) {
            session.inbox.catch_up();
        }
        self.flush(id);
    }

    /// Compares the position of a device with the hub's.
    pub(crate) fn check_position(&mut self, id: u64) {
        let Some(session) = self.devices.get_mut(&id).and_then(Device::live) else { return };
        session.checked_at = self.now;
        let head = self.inboxes.log(&session.user).head();
        session.inbox.on_head(session.inbox.head().position, head);
        self.note(id, format_args!("checks its position: the hub is at {}", head.position.seq));
        self.flush(id);
    }

    /// Delivers a change to the devices of its user.
    pub(super) fn deliver(&mut self, user: &UserId, change: &Change) {
        let (_, data) = LiveEvent::encode(change, MAX_EVENT_BYTES);
        let event = LiveEvent::parse(&data).unwrap_or(LiveEvent::Thin(change.stamp));
        let what = match &event {
            LiveEvent::Thin(stamp) => format!("{} (thin)", stamp.seq),
            _ => format!("{} {}", change.stamp.seq, brief(&change.kind)),
        };
        self.deliver_event(user, &event, &what);
    }

    /// Delivers a notification that was triggered on the user's channel without an inbox.
    pub(crate) fn trigger(&mut self, user: &UserId, notification: InternalNotification) {
        self.deliver_event(user, &LiveEvent::Bare(Box::new(notification)), "a bare notification");
    }

    fn deliver_event(&mut self, user: &UserId, event: &LiveEvent, what: &str) {
        let is_reached = |device: &mut Device| device.live().is_some_and(|session| session.user == *user);
        let reached: Vec<u64> =
            self.devices.iter_mut().filter_map(|(id, device)| is_reached(device).then_some(*id)).collect();
        for id in reached {
            self.arrive(id, event, what);
        }
    }

    fn arrive(&mut self, id: u64, event: &LiveEvent, what: &str) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        let times = device.faults.deliveries();
        let verb = ["loses", "receives"].get(times).unwrap_or(&"receives twice");
        self.note(id, format_args!("{verb} {what}"));
        for _ in 0..times {
            if let Some(session) = self.devices.get_mut(&id).and_then(Device::live) {
                session.on_live(event.clone());
            }
            self.catch_up(id);
        }
        self.publish(id);
    }

    /// Answers the replica until it has caught up, then sends the queued writes.
    pub(super) fn flush(&mut self, id: u64) {
        self.catch_up(id);
        while let Some(WriteRequest { op, command, .. }) = self.unsent(id) {
            let may = self.devices.get_mut(&id).map_or(Ok(()), |device| device.faults.queued_write());
            let outcome = may.and_then(|()| self.send(id, &op, &command));
            let outcome = self.note_outcome(id, &format!("sends the queued {op}"), outcome);
            let session = self.devices.get_mut(&id).and_then(|device| device.session.as_mut());
            if let (Some(session), Err(error)) = (session, outcome) {
                session.roll_back(&op, &error);
            }
        }
        self.publish(id);
    }

    fn unsent(&mut self, id: u64) -> Option<WriteRequest> {
        let device = self.devices.get_mut(&id).filter(|device| device.is_connected())?;
        device.session.as_mut()?.inbox.next_write()
    }

    pub(super) fn catch_up(&mut self, id: u64) {
        let query = |device: &mut Device| {
            let is_held = device.faults.holds_catch_up;
            let inbox = &device.live()?.inbox;
            inbox.next_query().filter(|_| !(is_held && inbox.is_loaded()))
        };
        while let Some(next) = self.devices.get_mut(&id).and_then(query) {
            match next {
                InboxQuery::Changes { after } => {
                    self.note(id, format_args!("asks for changes after {}", after.seq))
                }
                InboxQuery::Older { before, limit } => {
                    self.note(id, format_args!("asks for {limit} rows older than {before}"));
                }
                _ => self.note(id, format_args!("asks for a snapshot")),
            }
            let Some(session) = self.devices.get_mut(&id).and_then(Device::live) else { return };
            session.checked_at = self.now;
            let log = self.inboxes.log(&session.user);
            session.answer(next, log);
        }
    }

    pub(super) fn publish(&mut self, id: u64) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.publish();
        }
    }
}

/// Describes a change without the contents of its notification.
fn brief(kind: &ChangeKind) -> String {
    let list = |ids: &[NotificationId]| match ids {
        [id] => format!("{id:?}"),
        ids => format!("{ids:?}"),
    };
    match kind {
        ChangeKind::Added { notification } => format!("added {:?}", notification.id),
        ChangeKind::Opened { ids } => format!("opened {}", list(ids)),
        ChangeKind::Unopened { ids } => format!("unopened {}", list(ids)),
        ChangeKind::Removed { ids, .. } => format!("removed {}", list(ids)),
        ChangeKind::OpenedAll { through } => format!("opened all through {through}"),
        _ => "another change".to_owned(),
    }
}
