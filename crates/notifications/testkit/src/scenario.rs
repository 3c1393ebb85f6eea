use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use internal_notifications_service::models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{ServiceError, Status};

use crate::Harness;
use crate::checked_device::CheckedDevice;
use crate::deadline::in_time;
use crate::notification::notification;
use crate::violation::{CheckResult, Failure};

/// The context of a bullet's test: the harness, and users and ids that no other run uses.
pub(crate) struct Scenario<'h> {
    pub(crate) harness: &'h dyn Harness,
    pub(crate) timeout: Duration,
    run_id: String,
    /// The first part of every id of this run.
    id_prefix: String,
    /// The short names of the ids, which are numbered in this order.
    names: Mutex<Vec<String>>,
}

static RUNS: AtomicU64 = AtomicU64::new(0);

impl<'h> Scenario<'h> {
    pub(crate) fn new(harness: &'h dyn Harness) -> Self {
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (micros, process) = (now.as_micros(), std::process::id());
        let id_prefix = format!(
            "{:08x}-{:04x}-8{:03x}-8{:03x}",
            (micros >> 16) & 0xffff_ffff,
            micros & 0xffff,
            run & 0xfff,
            process & 0xfff
        );
        Self {
            harness,
            timeout: harness.timeout(),
            run_id: format!("{:x}-{run}", now.as_nanos()),
            id_prefix,
            names: Mutex::default(),
        }
    }

    /// Returns the text with the short names of users and ids that the test uses in its source.
    pub(crate) fn without_run_id(&self, text: &str) -> String {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let text = text.replace(&format!("-{}", self.run_id), "");
        names.iter().enumerate().fold(text, |text, (number, name)| text.replace(&self.uuid(number), name))
    }

    fn uuid(&self, number: usize) -> String {
        format!("{}-{number:012x}", self.id_prefix)
    }

    /// Returns a user whose inbox is empty.
    pub(crate) fn user(&self, name: &str) -> CheckResult<UserId> {
        UserId::new(format!("{name}-{}", self.run_id)).map_err(|error| Failure(error.to_string()))
    }

    /// Returns an id that no other run uses: a UUID, because users may push under no other.
    pub(crate) fn id(&self, name: &str) -> CheckResult<NotificationId> {
        let number = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        NotificationId::new(self.uuid(number)).map_err(|error| Failure(error.to_string()))
    }

    /// Creates a device of the user that is not initialized.
    pub(crate) async fn device(&self, user: &UserId) -> CheckResult<CheckedDevice> {
        let device = in_time(self.timeout, "the harness made a device", self.harness.device(user)).await?;
        Ok(CheckedDevice::new(device, self.timeout))
    }

    /// Creates a device of the user and waits until it is live.
    pub(crate) async fn live(&self, user: &UserId) -> CheckResult<CheckedDevice> {
        let device = self.device(user).await?;
        device.init().await?;
        device.until("it is live after init", |now| now.status == Status::Live).await?;
        Ok(device)
    }

    /// Pushes a new notification to users through the harness.
    pub(crate) async fn push(&self, to: &[&UserId], name: &str) -> CheckResult<NotificationId> {
        let id = self.id(name)?;
        let receipt = self.push_id(to, &id).await?;
        let users = to.len() as u64;
        match receipt.accepted == users && receipt.duplicates == 0 && receipt.id == id {
            true => Ok(id),
            false => Err(Failure(format!(
                "the harness pushed the new notification {id} to {users} users and returned {receipt:?}"
            ))),
        }
    }

    /// Pushes new notifications to a user, `prefix0` first.
    pub(crate) async fn push_many(
        &self,
        to: &UserId,
        prefix: &str,
        count: usize,
    ) -> CheckResult<Vec<NotificationId>> {
        let mut ids = Vec::new();
        for index in 0..count {
            ids.push(self.push(&[to], &format!("{prefix}{index}")).await?);
        }
        Ok(ids)
    }

    /// Pushes the notification with this id, which may have been pushed before.
    pub(crate) async fn push_id(&self, to: &[&UserId], id: &NotificationId) -> CheckResult<Receipt> {
        self.push_notification(to, notification(id)).await?.map_err(|error| {
            Failure(format!("a push of {id} through the harness fails with {:?}: {error}", error.kind()))
        })
    }

    async fn push_notification(
        &self,
        to: &[&UserId],
        notification: InternalNotification,
    ) -> CheckResult<Result<Receipt, ServiceError>> {
        let to: Vec<UserId> = to.iter().map(|user| (*user).clone()).collect();
        in_time(self.timeout, "a push through the harness returned", self.harness.push(&to, notification))
            .await
    }
}
