use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::{BoxStream, pending};
use futures_util::{FutureExt, StreamExt, stream};
use internal_notifications_service::models::{InternalNotification, NotificationId, Receipt, UserId};
use internal_notifications_service::{
    Announcement, InternalNotificationsService, ServiceError, ServiceErrorKind, Snapshot, Status, Written,
};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use super::Fault;

/// A correct service with one fault.
pub(crate) struct FaultyService {
    inner: Arc<dyn InternalNotificationsService>,
    fault: Fault,
    more: broadcast::Sender<Announcement>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    inits: usize,
    failed: bool,
    /// The last snapshot before `dispose`.
    shown: Option<Snapshot>,
    /// The notifications that this device opened.
    opened: BTreeSet<NotificationId>,
    announced: usize,
    last: Option<Announcement>,
    drop_next: bool,
    /// The notifications that it opened without a connection.
    waiting: Vec<NotificationId>,
    waits_to_open_all: bool,
    /// The failed pushes that it repeats at the next `init`.
    given_up: Vec<(Vec<UserId>, InternalNotification)>,
    /// The snapshot when the future of a `dispose` was dropped.
    left: Option<Snapshot>,
}

/// Calls a function when it is dropped, unless it is disarmed.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<F: FnMut()> OnDrop<F> {
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl FaultyService {
    pub(crate) fn new(inner: Arc<dyn InternalNotificationsService>, fault: Fault) -> Self {
        Self { inner, fault, more: broadcast::Sender::new(64), memory: Arc::default() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn announce_all(&self) {
        for row in self.inner.snapshot().notifications.iter().rev() {
            let _ = self.more.send(Announcement::Notification(Arc::clone(row)));
        }
    }

    fn written(&self, written: Result<Written, ServiceError>) -> Result<Written, ServiceError> {
        let kind = written.as_ref().err().map(ServiceError::kind);
        match (self.fault, kind) {
            (Fault::AnswersBeforeInit, Some(ServiceErrorKind::NotInitialized)) => Ok(Written::Stored),
            (Fault::RemovesWhatIsNotThere, Some(ServiceErrorKind::Unknown)) => Ok(Written::Stored),
            (Fault::DropsTheWriteTooMany, Some(ServiceErrorKind::QueueFull)) => Ok(Written::Queued),
            (Fault::CallsTheQueuedStored, None) => Ok(Written::Stored),
            _ => written,
        }
    }
}

fn faulty_snapshot(fault: Fault, memory: &Memory, mut now: Snapshot) -> Snapshot {
    match fault {
        Fault::StaysStarting if memory.failed => now.status = Status::Starting,
        Fault::RemembersAfterDispose if now.status == Status::Idle => {
            now = memory.shown.clone().unwrap_or(now);
        }
        Fault::CountsOneMore if now.notifications.len() > 2 => now.pending += 1,
        Fault::LooksLiveWhileOffline if matches!(now.status, Status::Offline(_)) => now.status = Status::Live,
        Fault::OpensTheUnseen if memory.waits_to_open_all => {
            let all = now.notifications.iter().cloned().map(|mut row| {
                let at = row.created_at;
                Arc::make_mut(&mut row).set_opened(Some(at));
                row
            });
            now.notifications = all.collect();
        }
        Fault::IgnoresOtherDevices => {
            let alone = now.notifications.iter().cloned().map(|mut row| {
                if !memory.opened.contains(&row.id) {
                    Arc::make_mut(&mut row).set_opened(None);
                }
                row
            });
            now.notifications = alone.collect();
        }
        _ => {}
    }
    now
}

/// Returns what the faulty service announces in place of an announcement.
fn faulty_announcements(fault: Fault, memory: &mut Memory, announcement: Announcement) -> Vec<Announcement> {
    memory.announced += 1;
    memory.last = Some(announcement.clone());
    let is_dropped = match fault {
        Fault::DropsAnAnnouncement => memory.announced == 3,
        Fault::DropsOneAfterSubscribe => std::mem::take(&mut memory.drop_next),
        Fault::HidesThatItSkipped => announcement == Announcement::Skipped,
        Fault::RollsBackInSilence => matches!(announcement, Announcement::WriteRefused(_)),
        _ => false,
    };
    let times = if is_dropped { 0 } else { 1 + usize::from(fault == Fault::AnnouncesTwice) };
    vec![announcement; times]
}

#[async_trait]
impl InternalNotificationsService for FaultyService {
    async fn init(&self) -> Result<(), ServiceError> {
        if self.is(Fault::StartsAgain) && self.inner.snapshot().status != Status::Idle {
            self.inner.dispose().await;
        }
        let started = self.inner.init().await;
        if self.is(Fault::KeepsWritesOverDispose) {
            let waiting = std::mem::take(&mut self.memory.lock().unwrap().waiting);
            let _ = self.inner.mark_opened(&waiting).await;
        }
        if self.is(Fault::StoresAWaitingPushLater) {
            let given_up = std::mem::take(&mut self.memory.lock().unwrap().given_up);
            for (to, notification) in given_up {
                let _ = self.inner.push(&to, notification).await;
            }
        }
        let inits = {
            let mut memory = self.memory.lock().unwrap();
            memory.inits += 1;
            memory.failed = started.is_err();
            memory.inits
        };
        if self.is(Fault::AnnouncesTheFirstSnapshot) || (self.is(Fault::AnnouncesAgainAfterInit) && inits > 1)
        {
            self.announce_all();
        }
        started
    }

    async fn dispose(&self) {
        let now = self.inner.snapshot();
        self.memory.lock().unwrap().shown = Some(now.clone());
        let dropped = OnDrop(|| self.memory.lock().unwrap().left = Some(now.clone()));
        tokio::task::yield_now().await;
        dropped.disarm();
        self.inner.dispose().await;
    }

    async fn subscribe(&self) -> Result<(), ServiceError> {
        self.memory.lock().unwrap().drop_next = true;
        self.inner.subscribe().await
    }

    async fn unsubscribe(&self) -> Result<(), ServiceError> {
        match self.fault {
            Fault::GoesOnListening => Ok(()),
            _ => self.inner.unsubscribe().await,
        }
    }

    async fn wake(&self) -> Result<(), ServiceError> {
        let woken = self.inner.wake().await;
        match self.fault {
            Fault::ResumesWhenWoken => self.inner.subscribe().await,
            Fault::AnnouncesAgainWhenWoken => {
                self.announce_all();
                woken
            }
            Fault::WakesBeforeInit => Ok(()),
            _ => woken,
        }
    }

    async fn push(
        &self,
        user_ids: &[UserId],
        notification: InternalNotification,
    ) -> Result<Receipt, ServiceError> {
        let id = notification.id.clone();
        match (self.fault, id) {
            (Fault::PushesAnewWhenRepeated, Some(id)) => {
                let anew = notification.without_id();
                let mut receipt = self.inner.push(user_ids, anew).await?;
                receipt.id = id;
                Ok(receipt)
            }
            (Fault::CountsARecipientTwice, _) => {
                let receipt = self.inner.push(user_ids, notification).await?;
                Ok(receipt.with_accepted(user_ids.len() as u64))
            }
            (Fault::WaitsForEver, _) => match self.inner.push(user_ids, notification).await {
                Err(_) => std::future::pending().await,
                receipt => receipt,
            },
            (Fault::StoresAWaitingPushLater, _) => {
                let outcome = self.inner.push(user_ids, notification.clone()).await;
                if outcome.is_err() {
                    self.memory.lock().unwrap().given_up.push((user_ids.to_vec(), notification));
                }
                outcome
            }
            (Fault::RepeatsADroppedPush, None) => {
                let dropped = OnDrop(|| {
                    for _ in 0..2 {
                        self.inner.push(user_ids, notification.clone()).now_or_never().unwrap().unwrap();
                    }
                });
                tokio::task::yield_now().await;
                dropped.disarm();
                self.inner.push(user_ids, notification).await
            }
            (fault, id) => match (fault, id, self.inner.push(user_ids, notification).await) {
                (Fault::CallsTheInvalidUnavailable, _, Err(_)) => {
                    Err(ServiceError::new(ServiceErrorKind::Unavailable, "not now"))
                }
                (Fault::SwallowsPushes, Some(id), Err(_)) => Ok(Receipt::new(id).with_accepted(1)),
                (.., pushed) => pushed,
            },
        }
    }

    fn snapshot(&self) -> Snapshot {
        faulty_snapshot(self.fault, &self.memory.lock().unwrap(), self.inner.snapshot())
    }

    fn snapshots(&self) -> BoxStream<'static, Snapshot> {
        let (fault, memory) = (self.fault, Arc::clone(&self.memory));
        let snapshots =
            self.inner.snapshots().map(move |now| faulty_snapshot(fault, &memory.lock().unwrap(), now));
        match fault {
            Fault::ShowsAfterADroppedDispose => {
                let memory = Arc::clone(&self.memory);
                let late = async move { stream::iter(memory.lock().unwrap().left.clone()) };
                snapshots.chain(late.flatten_stream()).boxed()
            }
            Fault::SkipsThePresent => snapshots.skip(1).boxed(),
            Fault::NeverEnds => snapshots.chain(pending()).boxed(),
            Fault::YieldsEverySnapshot => {
                let (sender, every) = tokio::sync::mpsc::channel(64);
                let mut snapshots = snapshots.boxed();
                tokio::spawn(async move {
                    while let Some(now) = snapshots.next().await {
                        let _ = sender.send(now).await;
                    }
                });
                tokio_stream::wrappers::ReceiverStream::new(every).boxed()
            }
            _ => snapshots.boxed(),
        }
    }

    fn announcements(&self) -> BoxStream<'static, Announcement> {
        let (fault, memory) = (self.fault, Arc::clone(&self.memory));
        let announcements = self.inner.announcements();
        let announcements = announcements.flat_map(move |announcement| {
            stream::iter(faulty_announcements(fault, &mut memory.lock().unwrap(), announcement))
        });
        let memory = Arc::clone(&self.memory);
        match fault {
            Fault::AnnouncesTheFirstSnapshot
            | Fault::AnnouncesAgainAfterInit
            | Fault::AnnouncesAgainWhenWoken => {
                let more = BroadcastStream::new(self.more.subscribe());
                stream::select(announcements, more.filter_map(|more| async { more.ok() })).boxed()
            }
            Fault::AnnouncesAfterDispose => {
                let late = async move { stream::iter(memory.lock().unwrap().last.clone()) };
                announcements.chain(late.flatten_stream()).boxed()
            }
            Fault::AnnouncesAfterADroppedDispose => {
                let late = async move {
                    let left = memory.lock().unwrap().left.clone();
                    let row = left.and_then(|left| left.notifications.first().cloned());
                    stream::iter(row.map(Announcement::Notification))
                };
                announcements.chain(late.flatten_stream()).boxed()
            }
            _ => announcements.boxed(),
        }
    }

    async fn mark_opened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        self.memory.lock().unwrap().opened.extend(ids.iter().cloned());
        let written = self.inner.mark_opened(ids).await;
        if written == Ok(Written::Queued) {
            self.memory.lock().unwrap().waiting.extend(ids.iter().cloned());
        }
        self.written(written)
    }

    async fn mark_unopened(&self, ids: &[NotificationId]) -> Result<Written, ServiceError> {
        match self.fault {
            Fault::IgnoresUnopened => Ok(Written::Stored),
            _ => self.written(self.inner.mark_unopened(ids).await),
        }
    }

    async fn mark_all_opened(&self) -> Result<Written, ServiceError> {
        if self.is(Fault::OpensTheListAlone) {
            let listed = self.inner.snapshot().notifications;
            let ids: Vec<_> = listed.iter().map(|row| row.id.clone()).collect();
            return self.inner.mark_opened(&ids).await;
        }
        if self.is(Fault::OpensTheUnseen) && matches!(self.inner.snapshot().status, Status::Offline(_)) {
            self.memory.lock().unwrap().waits_to_open_all = true;
            let (inner, memory) = (Arc::clone(&self.inner), Arc::clone(&self.memory));
            tokio::spawn(async move {
                let is_live = |now: &Snapshot| std::future::ready(now.status == Status::Live);
                let _ = inner.snapshots().filter(is_live).boxed().next().await;
                let _ = inner.mark_all_opened().await;
                memory.lock().unwrap().waits_to_open_all = false;
            });
            return Ok(Written::Queued);
        }
        self.written(self.inner.mark_all_opened().await)
    }

    async fn remove(&self, id: &NotificationId) -> Result<Written, ServiceError> {
        self.written(self.inner.remove(id).await)
    }

    async fn load_older(&self, count: usize) -> Result<(), ServiceError> {
        match self.fault {
            Fault::LoadsNothing => Ok(()),
            _ => self.inner.load_older(count).await,
        }
    }
}
