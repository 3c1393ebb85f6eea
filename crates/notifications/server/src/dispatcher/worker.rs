use std::error::Error;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use internal_notifications_models::UserId;
use pusher_protocol::limits;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::outcome::{Outcome, publish};
use super::publish_queue::{Next, PublishQueue};
use super::published_marks::PublishedMarks;
use crate::backoff::Backoff;
use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::{Realtime, RealtimeError};
use crate::store::{PublishLimits, Store, StoreError, StoreErrorKind, Unpublished};

/// How many inboxes are published in one round.
const INBOXES: usize = 64;
/// How many inboxes one query of the store returns.
const QUERY_LIMIT: usize = 1000;
/// What the store returns for each inbox.
const MOST: PublishLimits = PublishLimits::new(50, limits::EVENT_DATA);

/// How often a shared store is polled for work that a dead server left.
const POLL: Duration = Duration::from_secs(1);
/// How long a round over a shared store may publish. Less than the store's lease, which starts
/// later, so that no other server takes an inbox over meanwhile.
const PUBLICATION: Duration = Duration::from_secs(4);

/// The dispatcher's task.
pub(super) struct Worker {
    queue: Arc<PublishQueue>,
    store: Arc<dyn Store>,
    realtime: Arc<dyn Realtime>,
    channels: ChannelPrefix,
    marks: PublishedMarks,
    backoff: Backoff,
    /// Set if the store is shared.
    poll: Option<Interval>,
    refused: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    refusal_logged: bool,
    damage_logged: bool,
}

/// The engine or the store failed, and the round is to be repeated.
type Failed = Box<dyn Error + Send + Sync>;

impl Worker {
    pub(super) fn new(
        queue: Arc<PublishQueue>,
        store: Arc<dyn Store>,
        realtime: Arc<dyn Realtime>,
        channels: ChannelPrefix,
        refused: Arc<AtomicU64>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let poll = store.is_shared().then(|| {
            let mut poll = interval(POLL);
            poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
            poll
        });
        Self {
            queue,
            store,
            realtime,
            channels,
            marks: PublishedMarks::default(),
            backoff: Backoff::default(),
            poll,
            refused,
            metrics,
            refusal_logged: false,
            damage_logged: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.marks.due() => {}
                () = tick(&mut self.poll) => self.queue.request_query(),
                () = self.queue.wait() => {
                    if let Err(failed) = self.round().await {
                        self.wait_after(failed, &stop).await;
                    }
                }
            }
            if self.marks.are_due() {
                self.record_marks_or_log().await;
            }
        }
        while !self.queue.is_empty() && self.round().await.is_ok() {}
        self.record_marks_or_log().await;
    }

    async fn round(&mut self) -> Result<(), Failed> {
        let done = match self.queue.next(INBOXES) {
            Next::Publish(users) => self.publish(users).await,
            Next::QueryStore => self.query_store().await,
            Next::Nothing => Ok(()),
        };
        if done.is_ok() {
            if !self.backoff.is_fresh() {
                tracing::info!("changes are published again");
            }
            self.backoff.reset();
        }
        done
    }

    async fn publish(&mut self, users: Vec<UserId>) -> Result<(), Failed> {
        let queued: Vec<(UserId, u64)> =
            users.into_iter().map(|user| (user.clone(), self.marks.of(&user))).collect();
        let deadline = self.poll.is_some().then(|| Instant::now() + PUBLICATION);
        let work = match self.unpublished(&queued).await {
            Ok(work) => work,
            Err(error) => {
                self.queue.add(queued.iter().map(|(user, _)| user));
                return Err(error.into());
            }
        };
        let mut failed: Option<Failed> = None;
        for outcome in self.publish_all(work, deadline).await {
            match outcome {
                Outcome::Published(user, seq) => {
                    self.refusal_logged = false;
                    self.marks.set(user, seq);
                }
                Outcome::Refused(user, seq, error) => {
                    self.marks.set(user, seq);
                    self.log_refusal(&error);
                }
                Outcome::Failed(user, error) => {
                    self.queue.add([&user]);
                    failed = Some(error.into());
                }
            }
        }
        if self.poll.is_some() {
            // This also ends the leases and returns the inboxes that changed meanwhile.
            self.record_marks_or_log().await;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Reads the unpublished changes of these inboxes. Skips an inbox that cannot be read, so that
    /// it does not block the others; if none can be read, the store has failed.
    async fn unpublished(&mut self, queued: &[(UserId, u64)]) -> Result<Vec<Unpublished>, StoreError> {
        let unusable = match self.store.claim_unpublished(queued, MOST).await {
            Err(error) if error.kind() == StoreErrorKind::Unusable => error,
            done => return done,
        };
        let (mut work, mut damaged) = (Vec::new(), 0);
        for one in queued {
            match self.store.claim_unpublished(slice::from_ref(one), MOST).await {
                Ok(changes) => work.extend(changes),
                Err(error) if error.kind() == StoreErrorKind::Unusable => {
                    damaged += 1;
                    self.log_damage(&one.0, &error);
                }
                Err(error) => return Err(error),
            }
        }
        if damaged > 1 && damaged == queued.len() { Err(unusable) } else { Ok(work) }
    }

    /// Publishes several inboxes at the same time, as many as the engine benefits from.
    async fn publish_all(&self, work: Vec<Unpublished>, deadline: Option<Instant>) -> Vec<Outcome> {
        let (realtime, channels, metrics) = (self.realtime.as_ref(), &self.channels, &self.metrics);
        stream::iter(work)
            .map(|inbox| async {
                let events = inbox.changes.len();
                let outcome = publish(realtime, channels, inbox, deadline).await?;
                metrics.published(outcome.label(), events);
                Some(outcome)
            })
            .buffer_unordered(realtime.concurrency().max(1))
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    /// Queues the inboxes that an earlier run left behind, or that did not fit into the queue.
    async fn query_store(&mut self) -> Result<(), Failed> {
        // Without this, the store would return the inboxes whose marks it has not recorded yet.
        let recorded = self.record_marks().await;
        let behind = match recorded {
            Ok(()) => self.store.unpublished_users(QUERY_LIMIT).await,
            Err(error) => Err(error),
        };
        let users = behind.inspect_err(|_| self.queue.request_query())?;
        self.queue.add(&users);
        if users.len() >= QUERY_LIMIT {
            self.queue.request_query();
        }
        Ok(())
    }

    async fn record_marks(&mut self) -> Result<(), StoreError> {
        let marks = self.marks.all();
        if marks.is_empty() {
            return Ok(());
        }
        match self.store.mark_published(&marks).await {
            Ok(behind) => {
                self.marks.clear();
                self.queue.add(&behind);
            }
            Err(error) => {
                self.marks.postpone();
                return Err(error);
            }
        }
        Ok(())
    }

    async fn record_marks_or_log(&mut self) {
        if let Err(error) = self.record_marks().await {
            let error: &dyn Error = &error;
            tracing::warn!(error, "cannot record what was published; it may be published again");
        }
    }

    fn log_refusal(&mut self, error: &RealtimeError) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.refusal_logged, true) {
            tracing::debug!(error, "the engine rejected an event");
        } else {
            tracing::warn!(error, "the engine rejected an event; clients catch up without it");
        }
    }

    fn log_damage(&mut self, user_id: &UserId, error: &StoreError) {
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.damage_logged, true) {
            tracing::debug!(user.id = %user_id, error, "an inbox cannot be read");
        } else {
            tracing::error!(user.id = %user_id, error, "an inbox cannot be read; its changes are not published");
        }
    }

    async fn wait_after(&mut self, failed: Failed, stop: &CancellationToken) {
        let first = self.backoff.is_fresh();
        let delay = self.backoff.next();
        log_failure(failed.as_ref(), first, delay);
        self.record_marks_or_log().await;
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

fn log_failure(error: &(dyn Error + 'static), is_first: bool, delay: Duration) {
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    if is_first {
        tracing::warn!(error, delay_ms, "changes cannot be published; trying again");
    } else {
        tracing::debug!(error, delay_ms, "changes still cannot be published");
    }
}

/// Waits for the next tick; for ever without an interval.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
