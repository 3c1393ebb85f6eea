use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_service::models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};
use tokio::time::{Instant, timeout_at};

use crate::announcement_reader::AnnouncementReader;
use crate::deadline::in_time;
use crate::notification::notification;
use crate::violation::{CheckResult, Failure, ensure};
use crate::{Connection, Device};

/// A device whose calls have a deadline and whose results are checked.
pub(crate) struct CheckedDevice {
    device: Device,
    timeout: Duration,
}

/// [`CheckedDevice::until`] waits at most this many timeouts while snapshots keep coming.
const MAX_TIMEOUTS: u32 = 10;

impl CheckedDevice {
    pub(crate) fn new(device: Device, timeout: Duration) -> Self {
        Self { device, timeout }
    }

    pub(crate) fn service(&self) -> &dyn InternalNotificationsService {
        self.device.service()
    }

    pub(crate) fn now(&self) -> Snapshot {
        self.service().snapshot()
    }

    /// Returns a reader of the announcements from now on.
    pub(crate) fn announcement_reader(&self) -> AnnouncementReader {
        AnnouncementReader::new(self.service().announcements(), self.timeout)
    }

    /// Makes a call that must return in time.
    pub(crate) async fn call<T>(&self, name: &str, call: impl Future<Output = T>) -> CheckResult<T> {
        in_time(self.timeout, &format!("`{name}` returned"), call).await
    }

    /// Makes a call that must return in time and succeed.
    pub(crate) async fn ok<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> CheckResult<T> {
        let returned = self.call(name, call).await?;
        returned.map_err(|error| Failure(format!("`{name}` fails with {:?}: {error}", error.kind())))
    }

    /// Makes a call that must return in time and fail with an error of this kind.
    pub(crate) async fn fails<T>(
        &self,
        name: &str,
        kind: ServiceErrorKind,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> CheckResult {
        match self.call(name, call).await? {
            Err(error) if error.kind() == kind => Ok(()),
            Err(error) => {
                Err(Failure(format!("`{name}` fails with {:?} instead of {kind:?}: {error}", error.kind())))
            }
            Ok(_) => Err(Failure(format!("`{name}` succeeds instead of failing with {kind:?}"))),
        }
    }

    pub(crate) async fn init(&self) -> CheckResult {
        self.ok("init", self.service().init()).await
    }

    pub(crate) async fn dispose(&self) -> CheckResult {
        self.call("dispose", self.service().dispose()).await
    }

    pub(crate) async fn subscribe(&self) -> CheckResult {
        self.ok("subscribe", self.service().subscribe()).await
    }

    pub(crate) async fn unsubscribe(&self) -> CheckResult {
        self.ok("unsubscribe", self.service().unsubscribe()).await
    }

    pub(crate) async fn wake(&self) -> CheckResult {
        self.ok("wake", self.service().wake()).await
    }

    pub(crate) async fn push(&self, to: &[&UserId], id: &NotificationId) -> CheckResult<Receipt> {
        self.ok("push", self.try_push(to, notification(id))).await
    }

    /// Makes a push that may fail. The future borrows none of the arguments.
    pub(crate) fn try_push<'d>(
        &'d self,
        to: &[&UserId],
        notification: InternalNotification,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send + use<'d> {
        let to: Vec<UserId> = to.iter().map(|user| (*user).clone()).collect();
        async move { self.service().push(&to, notification).await }
    }

    pub(crate) async fn open(&self, ids: &[&NotificationId]) -> CheckResult<Written> {
        self.ok("mark_opened", self.service().mark_opened(&owned(ids))).await
    }

    pub(crate) async fn unopen(&self, ids: &[&NotificationId]) -> CheckResult<Written> {
        self.ok("mark_unopened", self.service().mark_unopened(&owned(ids))).await
    }

    pub(crate) async fn open_all(&self) -> CheckResult<Written> {
        self.ok("mark_all_opened", self.service().mark_all_opened()).await
    }

    pub(crate) async fn remove(&self, id: &NotificationId) -> CheckResult<Written> {
        self.ok("remove", self.service().remove(id)).await
    }

    pub(crate) async fn load_older(&self, count: usize) -> CheckResult {
        self.ok("load_older", self.service().load_older(count)).await
    }

    /// Cuts the connection and waits until the status is [`Status::Offline`].
    pub(crate) async fn cut(&self) -> CheckResult {
        in_time(self.timeout, "the connection was cut", self.connection()?.cut()).await?;
        self.until("its status is Offline without a connection", |now| {
            matches!(now.status, Status::Offline(_))
        })
        .await?;
        Ok(())
    }

    /// Mends the connection without waiting for the service to reconnect.
    pub(crate) async fn mend(&self) -> CheckResult {
        in_time(self.timeout, "the connection was mended", self.connection()?.mend()).await
    }

    pub(crate) fn connection(&self) -> CheckResult<&dyn Connection> {
        let none = "the device has no connection to cut; let the harness provide one, or return a reason from `skip`";
        self.device.connection().map(|connection| &**connection).ok_or_else(|| Failure(none.to_owned()))
    }

    /// Waits for a snapshot that satisfies the condition. The timeout starts anew with each
    /// snapshot, up to [`MAX_TIMEOUTS`] times.
    pub(crate) async fn until(
        &self,
        what: &str,
        condition: impl Fn(&Snapshot) -> bool,
    ) -> CheckResult<Snapshot> {
        let mut snapshots = self.service().snapshots();
        let started = Instant::now();
        let mut last = None;
        loop {
            let deadline = (Instant::now() + self.timeout).min(started + self.timeout * MAX_TIMEOUTS);
            match timeout_at(deadline, snapshots.next()).await {
                Ok(Some(now)) if condition(&now) => return Ok(now),
                Ok(Some(now)) => last = Some(now),
                Ok(None) => return Err(Failure(format!("the snapshots ended before {what}"))),
                Err(_) => {
                    let last = last.as_ref().map_or("none".to_owned(), describe);
                    return Err(Failure(format!(
                        "it did not happen that {what}; the last of `snapshots` is {last}"
                    )));
                }
            }
        }
    }

    /// Waits until the list is exactly these notifications, newest first, with this pending count.
    pub(crate) async fn shows(&self, ids: &[&NotificationId], pending: u64) -> CheckResult<Snapshot> {
        let what = format!("it shows {ids:?}, {pending} pending");
        self.until(&what, |now| lists(now, ids) && now.pending == pending).await
    }

    /// Checks that the list is exactly these notifications now, with this pending count.
    pub(crate) fn shows_already(
        &self,
        when: &str,
        ids: &[&NotificationId],
        pending: u64,
    ) -> CheckResult<Snapshot> {
        let now = self.now();
        ensure!(
            lists(&now, ids) && now.pending == pending,
            "{when} the snapshot is {} instead of {ids:?}, {pending} pending",
            describe(&now)
        );
        Ok(now)
    }

    /// Checks that the snapshot is empty and idle.
    pub(crate) fn is_idle(&self, when: &str) -> CheckResult {
        let now = self.now();
        ensure!(now == Snapshot::default(), "{when} the snapshot is not empty and idle: {}", describe(&now));
        Ok(())
    }

    /// Checks that every call except `init` and `dispose` fails with `NotInitialized`.
    pub(crate) async fn rejects_calls(&self, when: &str, bob: &UserId, id: &NotificationId) -> CheckResult {
        let kind = ServiceErrorKind::NotInitialized;
        let name = |call: &str| format!("{call} {when}");
        let (service, ids) = (self.service(), [id.clone()]);
        self.fails(&name("subscribe"), kind, service.subscribe()).await?;
        self.fails(&name("unsubscribe"), kind, service.unsubscribe()).await?;
        self.fails(&name("wake"), kind, service.wake()).await?;
        let notification = InternalNotification::new("refused");
        self.fails(&name("push"), kind, self.try_push(&[bob], notification)).await?;
        self.fails(&name("mark_opened"), kind, service.mark_opened(&ids)).await?;
        self.fails(&name("mark_unopened"), kind, service.mark_unopened(&ids)).await?;
        self.fails(&name("mark_all_opened"), kind, service.mark_all_opened()).await?;
        self.fails(&name("remove"), kind, service.remove(id)).await?;
        self.fails(&name("load_older"), kind, service.load_older(1)).await
    }
}

fn owned(ids: &[&NotificationId]) -> Vec<NotificationId> {
    ids.iter().map(|id| (*id).clone()).collect()
}

/// Returns whether the list is exactly these notifications, newest first.
pub(crate) fn lists(now: &Snapshot, ids: &[&NotificationId]) -> bool {
    now.notifications.iter().map(|row| &row.id).eq(ids.iter().copied())
}

/// Returns whether the notification is opened, or none if the list does not have it.
pub(crate) fn opened(now: &Snapshot, id: &NotificationId) -> Option<bool> {
    now.notifications.iter().find(|row| row.id == *id).map(|row| row.opened)
}

/// Describes a snapshot briefly.
pub(crate) fn describe(now: &Snapshot) -> String {
    let row = |row: &std::sync::Arc<internal_notifications_service::models::InboxNotification>| {
        format!("{:?}{}", row.id, if row.opened { " opened" } else { "" })
    };
    let rows: Vec<String> = now.notifications.iter().take(8).map(row).collect();
    format!(
        "{} in the list [{}{}], {} pending, seq {}, {} unconfirmed, has_older {}, {:?}",
        now.notifications.len(),
        rows.join(", "),
        if now.notifications.len() > rows.len() { ", …" } else { "" },
        now.pending,
        now.position.seq,
        now.unconfirmed,
        now.has_older,
        now.status
    )
}
