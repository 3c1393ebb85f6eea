use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use internal_notifications_models::UserId;
use pusher_protocol::limits;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::commits::{Commits, Next};
use super::marks::Marks;
use super::outcome::{Outcome, publish};
use crate::backoff::Backoff;
use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::Realtime;
use crate::stop::Stopped;
use crate::store::{PublishLimits, Store, StoreError, StoreErrorKind, Unpublished};

/// Inboxes of one round.
const INBOXES: usize = 64;
/// Inboxes that the store is asked for at once.
const BEHIND: usize = 1000;
/// What is asked of each.
const MOST: PublishLimits = PublishLimits::new(50, limits::EVENT_DATA);

/// How often a store that others work on too is asked who is behind: what a server left that is gone.
const ASK: Duration = Duration::from_secs(1);
/// How long a round may publish where other servers may take an inbox over: less than the store's lease, which begins later.
const PUBLICATION: Duration = Duration::from_secs(4);

/// The dispatcher's task.
pub(super) struct Worker {
    commits: Arc<Commits>,
    store: Arc<dyn Store>,
    realtime: Arc<dyn Realtime>,
    channels: ChannelPrefix,
    marks: Marks,
    backoff: Backoff,
    /// Set where other servers work on the same inboxes.
    ask: Option<Interval>,
    refused: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
    told_refusal: bool,
    told_damage: bool,
}

/// The engine or the store failed for now, and why.
struct Failed(String);

impl Worker {
    pub(super) fn new(
        commits: Arc<Commits>,
        store: Arc<dyn Store>,
        realtime: Arc<dyn Realtime>,
        channels: ChannelPrefix,
        refused: Arc<AtomicU64>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (marks, backoff) = (Marks::default(), Backoff::default());
        let ask = store.is_shared().then(|| {
            let mut ask = interval(ASK);
            ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ask
        });
        Self {
            commits,
            store,
            realtime,
            channels,
            marks,
            backoff,
            ask,
            refused,
            metrics,
            told_refusal: false,
            told_damage: false,
        }
    }

    pub(super) async fn run(mut self, mut stopped: Stopped) {
        loop {
            tokio::select! {
                biased;
                () = stopped.wait() => break,
                () = self.marks.due() => {}
                () = tick(&mut self.ask) => self.commits.ask_store(),
                () = self.commits.filled() => {
                    if let Err(failed) = self.round().await {
                        self.wait_after(failed, &mut stopped).await;
                    }
                }
            }
            if self.marks.are_due() {
                self.write_marks_or_tell().await;
            }
        }
        while !self.commits.is_empty() && self.round().await.is_ok() {}
        self.write_marks_or_tell().await;
    }

    async fn round(&mut self) -> Result<(), Failed> {
        let done = match self.commits.next(INBOXES) {
            Next::Publish(users) => self.publish(users).await,
            Next::AskStore => self.ask_store().await,
            Next::Nothing => Ok(()),
        };
        if done.is_ok() {
            if !self.backoff.is_fresh() {
                tracing::info!("publishing works again");
            }
            self.backoff.reset();
        }
        done
    }

    async fn publish(&mut self, users: Vec<UserId>) -> Result<(), Failed> {
        let asked: Vec<(UserId, u64)> =
            users.into_iter().map(|user| (user.clone(), self.marks.of(&user))).collect();
        let deadline = self.ask.is_some().then(|| Instant::now() + PUBLICATION);
        let work = match self.unpublished(&asked).await {
            Ok(work) => work,
            Err(error) => {
                self.commits.put(asked.iter().map(|(user, _)| user));
                return Err(Failed(error.to_string()));
            }
        };
        let mut failed = None;
        for outcome in self.publish_all(work, deadline).await {
            match outcome {
                Outcome::Published(user, seq) => {
                    self.told_refusal = false;
                    self.marks.set(user, seq);
                }
                Outcome::Refused(user, seq, error) => {
                    self.marks.set(user, seq);
                    self.tell_refusal(&error.to_string());
                }
                Outcome::Later(user, error) => {
                    self.commits.put([&user]);
                    failed = Some(Failed(error.to_string()));
                }
            }
        }
        if self.ask.is_some() {
            // Also lets go of them, and tells what came meanwhile.
            self.write_marks_or_tell().await;
        }
        failed.map_or(Ok(()), Err)
    }

    /// What is to be published of these inboxes. One that cannot be read is passed over, so that it does not hold the others up; when
    /// none can be, it is the store that fails.
    async fn unpublished(&mut self, asked: &[(UserId, u64)]) -> Result<Vec<Unpublished>, StoreError> {
        let unusable = match self.store.claim_unpublished(asked, MOST).await {
            Err(error) if error.kind() == StoreErrorKind::Unusable => error,
            done => return done,
        };
        let (mut work, mut damaged) = (Vec::new(), 0);
        for one in asked {
            match self.store.claim_unpublished(slice::from_ref(one), MOST).await {
                Ok(of) => work.extend(of),
                Err(error) if error.kind() == StoreErrorKind::Unusable => {
                    damaged += 1;
                    self.tell_damage(&one.0, &error);
                }
                Err(error) => return Err(error),
            }
        }
        if damaged > 1 && damaged == asked.len() { Err(unusable) } else { Ok(work) }
    }

    /// Publishes inboxes side by side where the engine gains by it.
    async fn publish_all(&self, work: Vec<Unpublished>, deadline: Option<Instant>) -> Vec<Outcome> {
        let (realtime, channels, metrics) = (self.realtime.as_ref(), &self.channels, &self.metrics);
        stream::iter(work)
            .map(|inbox| async {
                let events = inbox.changes.len();
                let outcome = publish(realtime, channels, inbox, deadline).await?;
                metrics.published(outcome.label(), events);
                Some(outcome)
            })
            .buffer_unordered(realtime.parallel().max(1))
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    /// Takes the inboxes that an earlier run left behind, or that were too many to remember.
    async fn ask_store(&mut self) -> Result<(), Failed> {
        // The store would name again those whose marks it does not have yet.
        let written = self.write_marks().await;
        let behind = match written {
            Ok(()) => self.store.unpublished_users(BEHIND).await,
            Err(error) => Err(error),
        };
        let users = behind.map_err(|error| {
            self.commits.ask_store();
            Failed(error.to_string())
        })?;
        self.commits.put(&users);
        if users.len() >= BEHIND {
            self.commits.ask_store();
        }
        Ok(())
    }

    async fn write_marks(&mut self) -> Result<(), StoreError> {
        let marks = self.marks.all();
        if marks.is_empty() {
            return Ok(());
        }
        match self.store.mark_published(&marks).await {
            Ok(behind) => {
                self.marks.clear();
                self.commits.put(&behind);
            }
            Err(error) => {
                self.marks.postpone();
                return Err(error);
            }
        }
        Ok(())
    }

    async fn write_marks_or_tell(&mut self) {
        if let Err(error) = self.write_marks().await {
            tracing::warn!(%error, "cannot write what was published; it may be published again");
        }
    }

    fn tell_refusal(&mut self, error: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if std::mem::replace(&mut self.told_refusal, true) {
            tracing::debug!(error, "the engine refused an event");
        } else {
            tracing::warn!(error, "the engine refused an event; clients catch up without it");
        }
    }

    fn tell_damage(&mut self, user_id: &UserId, error: &StoreError) {
        if std::mem::replace(&mut self.told_damage, true) {
            tracing::debug!(user.id = %user_id, %error, "an inbox cannot be read");
        } else {
            tracing::error!(user.id = %user_id, %error, "an inbox cannot be read; its changes are not published");
        }
    }

    async fn wait_after(&mut self, failed: Failed, stopped: &mut Stopped) {
        let first = self.backoff.is_fresh();
        let delay = self.backoff.next();
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        if first {
            tracing::warn!(error = failed.0, delay_ms, "cannot publish now; trying again");
        } else {
            tracing::debug!(error = failed.0, delay_ms, "still cannot publish");
        }
        self.write_marks_or_tell().await;
        tokio::select! {
            biased;
            () = stopped.wait() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// Waits for the next moment; for ever where there is none.
async fn tick(interval: &mut Option<Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}
