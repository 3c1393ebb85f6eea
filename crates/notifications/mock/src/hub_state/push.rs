use internal_notifications_models::{
    InternalNotification, NotificationId, PushLimits, Receipt, RemovedReason, Retraction, UserId,
};
use internal_notifications_service::{OfflinePush, ServiceError, ServiceErrorKind};

use super::HubState;
use crate::device::not_initialized;
use crate::trace::MAX_ENTRIES;
use crate::{Call, PushRecord};

impl HubState {
    /// Stores a push and delivers its changes.
    pub(crate) fn push(
        &mut self,
        sender: &str,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let stored = check(user_ids, &notification)
            .and_then(|()| check_id(sender, &notification))
            .and_then(|()| self.inboxes.push(sender, user_ids, &notification, self.now, &mut self.counters));
        let (receipt, changes) = match stored {
            Ok(stored) => stored,
            Err(error) => {
                self.trace.note(self.now, sender, format_args!("pushes: {:?}", error.kind()));
                return Err(error);
            }
        };
        let Receipt { id, accepted, duplicates, scheduled, .. } = &receipt;
        let what = format_args!(
            "pushes {id:?}: {accepted} accepted, {duplicates} duplicates, {scheduled} scheduled"
        );
        self.trace.note(self.now, sender, what);
        self.record(PushRecord {
            sender: sender.to_owned(),
            user_ids: user_ids.to_vec(),
            notification,
            receipt: receipt.clone(),
        });
        for (user, change) in changes {
            self.deliver(&user, &change);
        }
        Ok(receipt)
    }

    /// Retracts a notification and delivers the changes.
    pub(crate) fn retract(&mut self, sender: &str, id: &NotificationId) -> Result<Retraction, ServiceError> {
        let withdrawn = self.inboxes.withdraw(id, RemovedReason::Retracted, self.now, &mut self.counters);
        match &withdrawn {
            Ok((Retraction { cancelled, removed, .. }, _)) => {
                let what = format_args!("retracts {id:?}: {cancelled} cancelled, {removed} removed");
                self.trace.note(self.now, sender, what);
            }
            Err(error) => self.trace.note(self.now, sender, format_args!("retracts: {:?}", error.kind())),
        }
        let (retraction, changes) = withdrawn?;
        for (user, change) in changes {
            self.deliver(&user, &change);
        }
        Ok(retraction)
    }

    fn record(&mut self, push: PushRecord) {
        if self.pushes.len() == MAX_ENTRIES {
            self.pushes.pop_front();
        }
        self.pushes.push_back(push);
    }

    /// Makes a push of a service. Returns none while it has to wait for the connection; `session`
    /// then holds the session in which it began to wait.
    pub(crate) fn push_from(
        &mut self,
        id: u64,
        session: &mut Option<u64>,
        user_ids: &[UserId],
        notification: &InternalNotification,
    ) -> Option<Result<Receipt, ServiceError>> {
        match self.sender(id, session, user_ids, notification) {
            Ok(Some(sender)) => Some(self.push(&sender, user_ids, notification.clone())),
            Ok(None) => {
                self.note(id, format_args!("push waits for the connection"));
                None
            }
            Err(error) => Some(self.note_outcome(id, "push", Err(error))),
        }
    }

    /// Returns the sender, or none if the push has to wait for the connection.
    fn sender(
        &mut self,
        id: u64,
        session: &mut Option<u64>,
        user_ids: &[UserId],
        notification: &InternalNotification,
    ) -> Result<Option<String>, ServiceError> {
        let device = self.device(id)?;
        let present = device.initialized()?.number;
        match session {
            Some(number) if *number != present => return Err(not_initialized()),
            Some(_) => {}
            None => device.faults.call(Call::Push)?,
        }
        *session = Some(present);
        check(user_ids, notification)?;
        match (device.is_connected(), device.settings.offline_push) {
            (true, _) => Ok(Some(format!("user:{}", device.initialized()?.user))),
            (false, OfflinePush::Wait) if !device.is_online => Ok(None),
            (false, _) => Err(device.not_connected()),
        }
    }
}

fn check(user_ids: &[UserId], notification: &InternalNotification) -> Result<(), ServiceError> {
    PushLimits::default().check(user_ids, notification)?;
    Ok(())
}

/// Checks the id as a server's default policy does.
fn check_id(sender: &str, notification: &InternalNotification) -> Result<(), ServiceError> {
    let by_user = sender.starts_with("user:");
    match &notification.id {
        Some(id) if by_user && !id.is_uuid() => {
            let detail = "the `id` of a notification that an app user pushes must be a UUID; \
                          leave it out to have one generated";
            Err(ServiceError::new(ServiceErrorKind::Invalid, detail))
        }
        _ => Ok(()),
    }
}
