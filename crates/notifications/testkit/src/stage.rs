use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use internal_notifications_service::models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{ServiceError, Status};

use crate::Harness;
use crate::deadline::in_time;
use crate::probe::Probe;
use crate::violation::{Broken, Held};

/// What a bullet is tried with: a harness, and names that no other run has.
pub(crate) struct Stage<'h> {
    pub(crate) harness: &'h dyn Harness,
    pub(crate) patience: Duration,
    run: String,
}

static RUNS: AtomicU64 = AtomicU64::new(0);

impl<'h> Stage<'h> {
    pub(crate) fn new(harness: &'h dyn Harness) -> Self {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { harness, patience: harness.patience(), run: format!("{:x}-{run}", now.as_nanos()) }
    }

    /// A text with users and ids as the bullet calls them.
    pub(crate) fn plain(&self, text: &str) -> String {
        text.replace(&format!("-{}", self.run), "")
    }

    /// A user that nobody pushed to.
    pub(crate) fn user(&self, name: &str) -> Held<UserId> {
        UserId::new(format!("{name}-{}", self.run)).map_err(|error| Broken(error.to_string()))
    }

    /// An id that nobody used.
    pub(crate) fn id(&self, name: &str) -> Held<NotificationId> {
        NotificationId::new(format!("{name}-{}", self.run)).map_err(|error| Broken(error.to_string()))
    }

    /// A device of the user, not initialized.
    pub(crate) async fn device(&self, user: &UserId) -> Held<Probe> {
        let device = in_time(self.patience, "the harness made a device", self.harness.device(user)).await?;
        Ok(Probe::new(device, self.patience))
    }

    /// A device of the user that is live.
    pub(crate) async fn live(&self, user: &UserId) -> Held<Probe> {
        let probe = self.device(user).await?;
        probe.init().await?;
        probe.until("it is live after init", |now| now.status == Status::Live).await?;
        Ok(probe)
    }

    /// Pushes a new notification to users, through the harness.
    pub(crate) async fn push(&self, to: &[&UserId], name: &str) -> Held<NotificationId> {
        let id = self.id(name)?;
        let receipt = self.push_id(to, &id).await?;
        let users = to.len() as u64;
        match receipt.accepted == users && receipt.duplicates == 0 && receipt.id == id {
            true => Ok(id),
            false => Err(Broken(format!("the harness pushed {id}, new, to {users} users: {receipt:?}"))),
        }
    }

    /// Pushes new notifications to a user, `prefix0` first.
    pub(crate) async fn push_many(
        &self,
        to: &UserId,
        prefix: &str,
        count: usize,
    ) -> Held<Vec<NotificationId>> {
        let mut ids = Vec::new();
        for index in 0..count {
            ids.push(self.push(&[to], &format!("{prefix}{index}")).await?);
        }
        Ok(ids)
    }

    /// Pushes the notification of this id, again perhaps.
    pub(crate) async fn push_id(&self, to: &[&UserId], id: &NotificationId) -> Held<Receipt> {
        self.push_as_it_is(to, notification(id)).await?.map_err(|error| {
            Broken(format!("a push of {id} through the harness errs with {:?}: {error}", error.kind()))
        })
    }

    /// Pushes through the harness.
    pub(crate) async fn push_as_it_is(
        &self,
        to: &[&UserId],
        notification: InternalNotification,
    ) -> Held<Result<Receipt, ServiceError>> {
        let to: Vec<UserId> = to.iter().map(|user| (*user).clone()).collect();
        in_time(self.patience, "a push through the harness returned", self.harness.push(&to, notification))
            .await
    }
}

/// The notification of an id: always the same.
pub(crate) fn notification(id: &NotificationId) -> InternalNotification {
    InternalNotification::new(format!("the content of {id}")).with_id(id.clone())
}
