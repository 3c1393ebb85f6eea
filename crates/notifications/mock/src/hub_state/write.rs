use internal_notifications_models::{MAX_IDS, NotificationId, OpId};
use internal_notifications_service::{InboxCommand, ServiceError, ServiceErrorKind, Written};

use super::HubState;
use crate::Call;

impl HubState {
    pub(crate) fn mark(
        &mut self,
        id: u64,
        ids: &[NotificationId],
        opened: bool,
    ) -> Result<Written, ServiceError> {
        let command = if opened { InboxCommand::Opened } else { InboxCommand::Unopened };
        let what = if opened { "mark_opened" } else { "mark_unopened" };
        self.write(id, what, ids.chunks(MAX_IDS).map(|ids| command(ids.to_vec())).collect())
    }

    /// Opens everything that the replica has seen.
    pub(crate) fn mark_all_opened(&mut self, id: u64) -> Result<Written, ServiceError> {
        let seen = self.device(id)?.session.as_ref().map(|session| session.inbox.head().position);
        let command = seen
            .filter(|seen| seen.seq > 0)
            .map(|seen| InboxCommand::OpenedAll { through: Some(seen.seq), tag: seen.tag });
        self.write(id, "mark_all_opened", Vec::from_iter(command))
    }

    pub(crate) fn remove(&mut self, id: u64, notification: &NotificationId) -> Result<Written, ServiceError> {
        self.write(id, "remove", vec![InboxCommand::Remove(notification.clone())])
    }

    fn write(&mut self, id: u64, what: &str, commands: Vec<InboxCommand>) -> Result<Written, ServiceError> {
        let outcome = self.write_each(id, commands);
        self.publish(id);
        let what = if outcome == Ok(Written::Queued) { format!("{what}, queued") } else { what.to_owned() };
        self.note_outcome(id, &what, outcome)
    }

    fn write_each(&mut self, id: u64, commands: Vec<InboxCommand>) -> Result<Written, ServiceError> {
        let device = self.device(id)?;
        device.initialized()?;
        device.faults.call(Call::Write)?;
        let (is_connected, write_queue) = (device.is_connected(), device.settings.write_queue);
        let waiting = device.initialized()?.inbox.unanswered_writes();
        if !is_connected && waiting + commands.len() > write_queue {
            return Err(queue_full());
        }
        let mut written = Written::Stored;
        for command in commands {
            let op = self.apply(id, &command)?;
            if !is_connected {
                written = Written::Queued;
                continue;
            }
            let sent = self.send(id, &op, &command);
            let session = self.device(id)?.initialized()?;
            if let Err(error) = sent {
                session.inbox.on_refused(&op);
                return Err(error);
            }
            // The hub has it, but its change waits behind a catch-up. A paused replica makes none.
            if session.inbox.is_catching_up() && !session.is_paused {
                written = Written::Queued;
            }
        }
        Ok(written)
    }

    /// Applies a write to the replica that the hub does not have yet.
    fn apply(&mut self, id: u64, command: &InboxCommand) -> Result<OpId, ServiceError> {
        let op = self
            .counters
            .op()
            .map_err(|error| ServiceError::new(ServiceErrorKind::Protocol, error.to_string()))?;
        let now = self.now;
        let inbox = &mut self.device(id)?.initialized()?.inbox;
        inbox.write(op.clone(), command.clone(), now).map_err(|_| queue_full())?;
        Ok(op)
    }

    /// Performs a write at the hub and delivers its change before the answer.
    pub(super) fn send(&mut self, id: u64, op: &OpId, command: &InboxCommand) -> Result<(), ServiceError> {
        let session = self.device(id)?.initialized()?;
        let (user, asked_at) = (session.user.clone(), session.inbox.head().position);
        let outcome = self.inboxes.write(&user, command, op, self.now, &mut self.counters);
        if let Ok((_, Some(change))) = &outcome {
            self.deliver(&user, change);
        }
        let head = self.inboxes.log(&user).head();
        let inbox = &mut self.device(id)?.initialized()?.inbox;
        match &outcome {
            Ok(_) => inbox.on_written(op, asked_at, head),
            Err(_) => inbox.on_head(asked_at, head),
        }
        self.catch_up(id);
        outcome.map(drop)
    }
}

fn queue_full() -> ServiceError {
    ServiceError::new(ServiceErrorKind::QueueFull, "too many writes wait for a connection")
}
