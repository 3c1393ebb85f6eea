use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_service::models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};
use tokio::time::{Instant, timeout_at};

use crate::deadline::in_time;
use crate::ear::Ear;
use crate::stage::notification;
use crate::violation::{Broken, Held, ensure};
use crate::{Connection, Device};

/// A device under observation: nothing that is asked of it may take for ever.
pub(crate) struct Probe {
    device: Device,
    patience: Duration,
}

/// A wait that sees something happen goes on for so many patiences at most.
const PATIENCES: u32 = 10;

impl Probe {
    pub(crate) fn new(device: Device, patience: Duration) -> Self {
        Self { device, patience }
    }

    pub(crate) fn service(&self) -> &dyn InternalNotificationsService {
        self.device.service()
    }

    pub(crate) fn now(&self) -> Snapshot {
        self.service().snapshot()
    }

    /// Hears what is announced from now on.
    pub(crate) fn ear(&self) -> Ear {
        Ear::new(self.service().announcements(), self.patience)
    }

    /// A call that must return.
    pub(crate) async fn call<T>(&self, name: &str, call: impl Future<Output = T>) -> Held<T> {
        in_time(self.patience, &format!("`{name}` returned"), call).await
    }

    /// A call that must return, and succeed.
    pub(crate) async fn ok<T>(
        &self,
        name: &str,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> Held<T> {
        let returned = self.call(name, call).await?;
        returned.map_err(|error| Broken(format!("`{name}` errs with {:?}: {error}", error.kind())))
    }

    /// A call that must err like this.
    pub(crate) async fn errs<T>(
        &self,
        name: &str,
        kind: ServiceErrorKind,
        call: impl Future<Output = Result<T, ServiceError>>,
    ) -> Held {
        match self.call(name, call).await? {
            Err(error) if error.kind() == kind => Ok(()),
            Err(error) => {
                Err(Broken(format!("`{name}` errs with {:?}, {kind:?} is right: {error}", error.kind())))
            }
            Ok(_) => Err(Broken(format!("`{name}` succeeds, an error of kind {kind:?} is right"))),
        }
    }

    pub(crate) async fn init(&self) -> Held {
        self.ok("init", self.service().init()).await
    }

    pub(crate) async fn dispose(&self) -> Held {
        self.call("dispose", self.service().dispose()).await
    }

    pub(crate) async fn subscribe(&self) -> Held {
        self.ok("subscribe", self.service().subscribe()).await
    }

    pub(crate) async fn unsubscribe(&self) -> Held {
        self.ok("unsubscribe", self.service().unsubscribe()).await
    }

    pub(crate) async fn push(&self, to: &[&UserId], id: &NotificationId) -> Held<Receipt> {
        self.ok("push", self.try_push(to, notification(id))).await
    }

    /// A push that may err; it borrows nothing of its arguments.
    pub(crate) fn try_push<'p>(
        &'p self,
        to: &[&UserId],
        notification: InternalNotification,
    ) -> impl Future<Output = Result<Receipt, ServiceError>> + Send + use<'p> {
        let to: Vec<UserId> = to.iter().map(|user| (*user).clone()).collect();
        async move { self.service().push(&to, notification).await }
    }

    pub(crate) async fn open(&self, ids: &[&NotificationId]) -> Held<Written> {
        self.ok("mark_opened", self.service().mark_opened(&owned(ids))).await
    }

    pub(crate) async fn unopen(&self, ids: &[&NotificationId]) -> Held<Written> {
        self.ok("mark_unopened", self.service().mark_unopened(&owned(ids))).await
    }

    pub(crate) async fn open_all(&self) -> Held<Written> {
        self.ok("mark_all_opened", self.service().mark_all_opened()).await
    }

    pub(crate) async fn remove(&self, id: &NotificationId) -> Held<Written> {
        self.ok("remove", self.service().remove(id)).await
    }

    pub(crate) async fn load_older(&self, count: usize) -> Held {
        self.ok("load_older", self.service().load_older(count)).await
    }

    /// Cuts its connection, and waits until it says so.
    pub(crate) async fn cut(&self) -> Held {
        in_time(self.patience, "the connection was cut", self.connection()?.cut()).await?;
        self.until("its status is Offline without a connection", |now| now.status == Status::Offline).await?;
        Ok(())
    }

    /// Mends its connection, without waiting for what follows.
    pub(crate) async fn mend(&self) -> Held {
        in_time(self.patience, "the connection was mended", self.connection()?.mend()).await
    }

    pub(crate) fn connection(&self) -> Held<&dyn Connection> {
        let none =
            "the harness gives the device no connection to cut; give one, or a reason to skip the bullet";
        self.device.connection().map(|connection| &**connection).ok_or_else(|| Broken(none.to_owned()))
    }

    /// Waits for a snapshot that is as wanted; as long as snapshots come, beyond its patience.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Held<Snapshot> {
        let mut snapshots = self.service().snapshots();
        let started = Instant::now();
        let mut last = None;
        loop {
            let deadline = (Instant::now() + self.patience).min(started + self.patience * PATIENCES);
            match timeout_at(deadline, snapshots.next()).await {
                Ok(Some(now)) if wanted(&now) => return Ok(now),
                Ok(Some(now)) => last = Some(now),
                Ok(None) => return Err(Broken(format!("the snapshots ended before {what}"))),
                Err(_) => {
                    let last = last.as_ref().map_or("nothing".to_owned(), told);
                    return Err(Broken(format!(
                        "it did not happen that {what}; `snapshots` last told {last}"
                    )));
                }
            }
        }
    }

    /// Waits until its list is just these, newest first, and its count is this.
    pub(crate) async fn shows(&self, ids: &[&NotificationId], pending: u64) -> Held<Snapshot> {
        let what = format!("it shows {ids:?}, {pending} pending");
        self.until(&what, |now| lists(now, ids) && now.pending == pending).await
    }

    /// Checks that its list is just these by now, and its count is this.
    pub(crate) fn shows_already(&self, when: &str, ids: &[&NotificationId], pending: u64) -> Held<Snapshot> {
        let now = self.now();
        ensure!(
            lists(&now, ids) && now.pending == pending,
            "{when} the snapshot is {}; {ids:?}, {pending} pending is right",
            told(&now)
        );
        Ok(now)
    }

    /// Checks that it knows of no user.
    pub(crate) fn is_idle(&self, when: &str) -> Held {
        let now = self.now();
        ensure!(now == Snapshot::default(), "{when} the snapshot is not empty and idle: {}", told(&now));
        Ok(())
    }

    /// Checks that every call but `init` and `dispose` is refused.
    pub(crate) async fn refuses_all(&self, when: &str, bob: &UserId, id: &NotificationId) -> Held {
        let kind = ServiceErrorKind::NotInitialized;
        let name = |call: &str| format!("{call} {when}");
        let (service, ids) = (self.service(), [id.clone()]);
        self.errs(&name("subscribe"), kind, service.subscribe()).await?;
        self.errs(&name("unsubscribe"), kind, service.unsubscribe()).await?;
        let notification = InternalNotification::new("refused");
        self.errs(&name("push"), kind, self.try_push(&[bob], notification)).await?;
        self.errs(&name("mark_opened"), kind, service.mark_opened(&ids)).await?;
        self.errs(&name("mark_unopened"), kind, service.mark_unopened(&ids)).await?;
        self.errs(&name("mark_all_opened"), kind, service.mark_all_opened()).await?;
        self.errs(&name("remove"), kind, service.remove(id)).await?;
        self.errs(&name("load_older"), kind, service.load_older(1)).await
    }
}

fn owned(ids: &[&NotificationId]) -> Vec<NotificationId> {
    ids.iter().map(|id| (*id).clone()).collect()
}

/// Whether the list is just these, newest first.
pub(crate) fn lists(now: &Snapshot, ids: &[&NotificationId]) -> bool {
    now.notifications.iter().map(|row| &row.id).eq(ids.iter().copied())
}

/// Whether the list has it opened; none when it does not have it.
pub(crate) fn opened(now: &Snapshot, id: &NotificationId) -> Option<bool> {
    now.notifications.iter().find(|row| row.id == *id).map(|row| row.opened)
}

/// A snapshot in short.
pub(crate) fn told(now: &Snapshot) -> String {
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
