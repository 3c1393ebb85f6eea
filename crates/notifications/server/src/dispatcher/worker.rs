use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use internal_notifications_models::UserId;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::engine_health::EngineHealth;
use super::publish_queue::PublishQueue;
use super::published_marks::PublishedMarks;
use super::request::{Inbox, InboxEvents, Outcome, Request};
use super::retries::Retries;
use super::store_calls::{AfterRecording, Claimed, QUERY_LIMIT, Readable, Recorded, claim, record};
use crate::backoff::Backoff;
use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::{Realtime, RealtimeError, RealtimeErrorKind};
use crate::store::{Store, StoreError};

/// How many inboxes are claimed at once.
const CLAIM: usize = 100;
/// How long a request to the engine may take.
const LIMIT: Duration = Duration::from_secs(4);
/// How long a request for several inboxes may take if the engine is usually fast. Then each is
/// tried alone, in case one of them makes the engine hang.
const PATIENCE: Duration = Duration::from_millis(500);
/// A claimed inbox that waited until this close to its deadline is claimed again.
const LATE: Duration = Duration::from_secs(1);
/// The most bytes of a request for several inboxes. Halved when the engine rejects such a request,
/// down to what every engine accepts.
const REQUEST_BYTES: usize = 64 << 10;
const FEWEST_REQUEST_BYTES: usize = 8 << 10;
/// How often the age of the oldest unpublished change is measured, and a shared store polled for
/// work that a dead server left.
const POLL: Duration = Duration::from_secs(1);
/// How long to wait before the store is queried for failed inboxes that did not fit into memory.
const FORGOTTEN: Duration = Duration::from_secs(10);

/// The dispatcher's task. It sends requests to the engine as results come in, while the store is
/// read and marks are recorded beside them. An inbox is in one request at a time.
pub(super) struct Worker {
    parts: Parts,
    is_shared: bool,
    concurrency: usize,
    batch_size: usize,
    running: FuturesUnordered<BoxFuture<'static, Event>>,
    is_claiming: bool,
    is_recording: bool,
    in_flight: usize,
    in_flight_alone: usize,
    /// The inboxes from their claim until they were published and, in a shared store, marked; with
    /// whether they have changed meanwhile.
    busy: HashMap<UserId, bool>,
    /// The claimed inboxes that can share requests.
    ready: VecDeque<InboxEvents>,
    /// The claimed inboxes that have failed and are tried alone.
    ready_alone: VecDeque<InboxEvents>,
    retries: Retries,
    engine: EngineHealth,
    marks: PublishedMarks,
    store_backoff: Backoff,
    /// No call of the store before this, except for marks.
    store_resumes: Instant,
    /// No query of the store before this.
    query_at: Instant,
    poll_at: Instant,
    is_age_shown: bool,
    request_bytes: usize,
    /// How long the engine usually takes.
    latency: Duration,
    stopping: Option<Stopping>,
    refusal_logged: bool,
    damage_logged: bool,
    failure_logged: bool,
}

/// What the dispatcher is built from.
pub(super) struct Parts {
    pub(super) queue: Arc<PublishQueue>,
    pub(super) store: Arc<dyn Store>,
    pub(super) realtime: Arc<dyn Realtime>,
    pub(super) channels: ChannelPrefix,
    pub(super) refused: Arc<AtomicU64>,
    pub(super) metrics: Arc<Metrics>,
}

/// The end of what ran beside the worker.
enum Event {
    Claimed(Claimed),
    Recorded(Recorded),
    Sent(Request, Outcome),
}

/// How far the worker is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    /// It publishes what is left.
    Draining,
    /// The engine or the store failed meanwhile: only marks are recorded.
    GivingUp,
    /// Marks could not be recorded.
    Done,
}

impl Worker {
    pub(super) fn new(parts: Parts, engine: EngineHealth) -> Self {
        let (is_shared, now) = (parts.store.is_shared(), Instant::now());
        let (concurrency, batch_size) =
            (parts.realtime.concurrency().max(1), parts.realtime.batch_size().max(1));
        Self {
            parts,
            is_shared,
            concurrency,
            batch_size,
            running: FuturesUnordered::new(),
            is_claiming: false,
            is_recording: false,
            in_flight: 0,
            in_flight_alone: 0,
            busy: HashMap::new(),
            ready: VecDeque::new(),
            ready_alone: VecDeque::new(),
            retries: Retries::default(),
            engine,
            marks: PublishedMarks::new(is_shared),
            store_backoff: Backoff::default(),
            store_resumes: now,
            query_at: now,
            poll_at: now,
            is_age_shown: true,
            request_bytes: REQUEST_BYTES,
            latency: PATIENCE / 2,
            stopping: None,
            refusal_logged: false,
            damage_logged: false,
            failure_logged: false,
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let now = Instant::now();
            self.start_claim();
            self.start_requests();
            self.start_recording();
            self.show_progress();
            if self.has_stopped() {
                return;
            }
            let wake = self.wakes(now);
            tokio::select! {
                biased;
                () = stop.cancelled(), if self.stopping.is_none() => self.begin_stopping(),
                Some(event) = self.running.next() => self.handle(event),
                () = self.parts.queue.changed() => {}
                () = at(wake) => {}
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Claimed(claimed) => self.claimed(claimed),
            Event::Recorded(recorded) => self.recorded(recorded),
            Event::Sent(request, outcome) => self.sent(&request, outcome),
        }
    }

    // Claiming inboxes.

    fn start_claim(&mut self) {
        if self.is_claiming || self.is_giving_up() || Instant::now() < self.store_resumes {
            return;
        }
        let users = self.next_users();
        if users.is_empty() {
            return;
        }
        let inboxes: Vec<_> = users.into_iter().map(|user| (user.clone(), self.marks.of(&user))).collect();
        self.busy.extend(inboxes.iter().map(|(user, _)| (user.clone(), false)));
        self.is_claiming = true;
        let store = self.parts.store.clone();
        self.running.push(async move { Event::Claimed(claim(store.as_ref(), inboxes).await) }.boxed());
    }

    /// Takes the inboxes to claim next: one that tries the engine if it has failed, and otherwise
    /// inboxes whose retries are due and those in the queue.
    fn next_users(&mut self) -> Vec<UserId> {
        let is_waiting = self.parts.queue.len() > 0;
        if self.in_flight >= self.concurrency || !self.engine.may_send(is_waiting) {
            return Vec::new();
        }
        if self.engine.is_paused() {
            if !self.ready.is_empty() || !self.ready_alone.is_empty() {
                return Vec::new();
            }
            let first = self.take_from_queue(1);
            return if first.is_empty() { self.retries.take_due(1) } else { first };
        }
        let mut users = match self.ready.is_empty() {
            true => self.take_from_queue(CLAIM),
            false => Vec::new(),
        };
        if self.concurrency > 1 || (users.is_empty() && self.ready.is_empty()) {
            let taken = self.in_flight_alone + self.ready_alone.len();
            users.extend(self.retries.take_due(self.most_alone().saturating_sub(taken)));
        }
        users
    }

    fn take_from_queue(&mut self, most: usize) -> Vec<UserId> {
        let mut users = Vec::new();
        while users.len() < most {
            let taken = self.parts.queue.take(most - users.len());
            if taken.is_empty() {
                break;
            }
            for user in taken {
                if let Some(has_changed) = self.busy.get_mut(&user) {
                    *has_changed = true;
                } else if !self.retries.contains(&user) {
                    users.push(user);
                }
            }
        }
        users
    }

    /// Returns how many requests may be for inboxes that have failed: half, so that these cannot
    /// take the place of all others.
    fn most_alone(&self) -> usize {
        (self.concurrency / 2).max(1)
    }

    fn claimed(&mut self, Claimed { users, deadline, outcome }: Claimed) {
        self.is_claiming = false;
        let Readable { unpublished, damaged } = match outcome {
            Ok(readable) => readable,
            Err(error) => {
                users.iter().for_each(|user| self.put_back(user));
                self.store_failed(&error);
                return;
            }
        };
        self.store_works();
        let mut idle = users;
        for inbox in unpublished {
            idle.retain(|user| *user != inbox.user_id);
            self.make_ready(inbox, deadline);
        }
        for (user, error) in damaged {
            idle.retain(|idle| *idle != user);
            self.log_damage(&user, &error);
            self.busy.remove(&user);
            self.retry(&user, true);
        }
        for user in idle {
            self.retries.remove(&user);
            self.release(&user);
        }
    }

    fn make_ready(&mut self, inbox: crate::store::Unpublished, deadline: Option<Instant>) {
        let user = inbox.user_id.clone();
        match InboxEvents::encode(&self.parts.channels, inbox, deadline) {
            Some(Ok(events)) if self.retries.contains(&user) => self.ready_alone.push_back(events),
            Some(Ok(events)) => self.ready.push_back(events),
            Some(Err((user_id, seq, error))) => {
                self.log_refusal(&error);
                self.parts.metrics.published("refused", 1);
                self.published(Inbox { user_id, seq, events: 1 });
            }
            None => self.release(&user),
        }
    }

    /// Ends the work on an inbox, and queues it again if it has changed meanwhile.
    fn release(&mut self, user: &UserId) {
        if self.busy.remove(user) == Some(true) {
            self.parts.queue.add([user]);
        }
    }

    /// Returns an inbox that was not tried.
    fn put_back(&mut self, user: &UserId) {
        self.busy.remove(user);
        if self.retries.contains(user) {
            self.retries.not_tried(user);
        } else {
            self.parts.queue.add([user]);
        }
    }

    fn put_back_ready(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let alone = std::mem::take(&mut self.ready_alone);
        ready.iter().chain(&alone).for_each(|inbox| self.put_back(&inbox.user_id));
    }

    // Sending requests.

    fn start_requests(&mut self) {
        while self.in_flight < self.concurrency && self.engine.may_send(!self.ready.is_empty()) {
            let (inboxes, is_alone) = self.next_inboxes();
            if inboxes.is_empty() {
                return;
            }
            let limit = match inboxes.len() {
                1 => LIMIT,
                _ => self.latency.saturating_mul(4).clamp(PATIENCE, LIMIT),
            };
            let request = Request::new(inboxes, is_alone, self.engine.sent());
            self.in_flight += 1;
            self.in_flight_alone += usize::from(is_alone);
            let realtime = self.parts.realtime.clone();
            let sending = async move {
                let outcome = request.send(realtime.as_ref(), limit).await;
                Event::Sent(request, outcome)
            };
            self.running.push(sending.boxed());
        }
    }

    /// Takes the inboxes of the next request, and returns whether it is one that must be alone.
    fn next_inboxes(&mut self) -> (Vec<InboxEvents>, bool) {
        self.put_back_late();
        let has_place = self.concurrency > 1 && self.in_flight_alone < self.most_alone();
        if (has_place && !self.engine.is_paused()) || self.ready.is_empty() {
            if let Some(inbox) = self.ready_alone.pop_front() {
                return (vec![inbox], true);
            }
        }
        let (mut inboxes, mut events, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = self.ready.front() {
            events += next.count();
            bytes += next.bytes();
            let fits = events <= self.batch_size && bytes <= self.request_bytes && !self.engine.is_paused();
            if !inboxes.is_empty() && !fits {
                break;
            }
            inboxes.extend(self.ready.pop_front());
        }
        (inboxes, false)
    }

    /// Returns the claimed inboxes that have waited for so long that their leases may end during a
    /// request.
    fn put_back_late(&mut self) {
        let soon = Instant::now() + LATE;
        let is_late = |inbox: &mut InboxEvents| inbox.deadline.is_some_and(|deadline| deadline < soon);
        while let Some(late) = self.ready.pop_front_if(is_late) {
            self.put_back(&late.user_id);
        }
        while let Some(late) = self.ready_alone.pop_front_if(is_late) {
            self.put_back(&late.user_id);
        }
    }

    fn sent(&mut self, request: &Request, outcome: Outcome) {
        self.in_flight -= 1;
        self.in_flight_alone -= usize::from(request.is_alone);
        let events: usize = request.inboxes.iter().map(|inbox| inbox.events).sum();
        match outcome {
            Outcome::Published => {
                self.refusal_logged = false;
                self.latency = (self.latency * 3 + request.sent.elapsed()) / 4;
                self.parts.metrics.published("published", events);
            }
            Outcome::Refused(refused, error) => {
                self.log_refusal(&error);
                self.parts.metrics.published("refused", refused);
                self.parts.metrics.published("published", events - refused);
            }
            Outcome::Failed(error) => {
                self.parts.metrics.published("failed", events);
                self.failed(request, &error);
                return;
            }
        }
        for inbox in &request.inboxes {
            self.published(Inbox { user_id: inbox.user_id.clone(), ..*inbox });
        }
        self.engine_answered(request);
    }

    fn published(&mut self, Inbox { user_id, seq, .. }: Inbox) {
        self.retries.remove(&user_id);
        self.marks.set(user_id.clone(), seq);
        if !self.is_shared {
            self.release(&user_id);
        }
    }

    fn engine_answered(&mut self, request: &Request) {
        if self.engine.answered(request.phase) {
            self.retries.make_due();
        }
    }

    fn failed(&mut self, request: &Request, error: &RealtimeError) {
        let was_alone = request.inboxes.len() == 1;
        let mut concerns_inbox = error.kind() == RealtimeErrorKind::Retryable;
        let mut began_pause = false;
        if error.kind() == RealtimeErrorKind::Permanent {
            // The engine has rejected several inboxes together, perhaps only for their size.
            self.request_bytes = (self.request_bytes / 2).max(FEWEST_REQUEST_BYTES);
        } else {
            let successes = self.engine.successes();
            let is_to_blame = |inbox: &Inbox| self.retries.is_to_blame(&inbox.user_id, successes);
            let has_failed_before = |inbox: &Inbox| self.retries.contains(&inbox.user_id);
            let is_excused = match error.kind() {
                RealtimeErrorKind::Retryable => request.inboxes.iter().all(has_failed_before),
                _ => request.inboxes.iter().all(is_to_blame),
            };
            concerns_inbox |= is_excused;
            began_pause = self.engine.failed(request.phase, error, is_excused);
        }
        for inbox in &request.inboxes {
            self.busy.remove(&inbox.user_id);
            self.retry(&inbox.user_id, was_alone && concerns_inbox);
            if was_alone && !self.engine.is_paused() {
                self.log_failure(&inbox.user_id, error);
            }
        }
        if error.kind() == RealtimeErrorKind::Permanent {
            self.engine_answered(request);
        }
        if began_pause {
            self.put_back_ready();
            self.give_up_if_stopping();
        }
    }

    fn retry(&mut self, user: &UserId, was_alone: bool) {
        if was_alone && self.stopping.is_some() {
            // The next start publishes it.
            self.retries.remove(user);
        } else if !self.retries.failed(user, was_alone, self.engine.successes()) && self.stopping.is_none() {
            self.parts.queue.request_query();
            self.query_at = self.query_at.max(Instant::now() + FORGOTTEN);
        }
    }

    // Recording marks, querying the store, and measuring.

    fn start_recording(&mut self) {
        if self.is_recording {
            return;
        }
        let now = Instant::now();
        let may_call = now >= self.store_resumes && !self.is_giving_up();
        let mut then = AfterRecording { query: false, measure: false };
        if now >= self.poll_at && may_call && self.stopping.is_none() {
            self.poll_at = now + POLL;
            if self.is_shared {
                self.parts.queue.request_query();
            }
            then.measure = self.is_shared || !self.knows_that_all_is_published();
            if !then.measure {
                self.show_age(None);
            }
        }
        then.query = may_call && now >= self.query_at && self.parts.queue.needs_query();
        let is_due = self.marks.due().is_some_and(|due| due <= now);
        let is_end = self.stopping.is_some() && self.is_idle() && self.marks.len() > 0;
        if !then.query && !then.measure && !is_due && !is_end {
            return;
        }
        if then.query {
            self.parts.queue.begin_query();
        }
        self.is_recording = true;
        let (store, marks) = (self.parts.store.clone(), self.marks.begin_recording());
        self.running.push(async move { Event::Recorded(record(store.as_ref(), marks, then).await) }.boxed());
    }

    fn recorded(&mut self, Recorded { behind, found, age }: Recorded) {
        self.is_recording = false;
        match behind {
            Ok(behind) => {
                let recorded = self.marks.recorded();
                if self.is_shared {
                    recorded.for_each(|user| self.release(&user));
                }
                self.parts.queue.add(&behind);
            }
            Err(error) => {
                self.marks.not_recorded();
                let error: &dyn Error = &error;
                tracing::warn!(error, "cannot record what was published; it may be published again");
                if self.stopping.is_some() {
                    self.stopping = Some(Stopping::Done);
                }
            }
        }
        match found {
            Some(Ok(users)) => self.found(&users),
            Some(Err(error)) => {
                self.parts.queue.request_query();
                self.store_failed(&error);
            }
            None => {}
        }
        if let Some(Ok(age)) = age {
            self.show_age(age);
        }
    }

    /// Queues the inboxes that an earlier run or another server left behind, or that did not fit
    /// into the queue.
    fn found(&mut self, users: &[UserId]) {
        self.store_works();
        let is_new = |user: &&UserId| !self.busy.contains_key(*user) && !self.retries.contains(user);
        let added = self.parts.queue.add_found(users.iter().filter(is_new));
        if users.len() >= QUERY_LIMIT && (added > 0 || self.stopping.is_none()) {
            self.parts.queue.request_query();
            if added == 0 {
                self.query_at = self.query_at.max(Instant::now() + POLL);
            }
        }
        if self.retries.is_full() {
            self.query_at = self.query_at.max(Instant::now() + FORGOTTEN);
        }
    }

    fn store_works(&mut self) {
        if !self.store_backoff.is_fresh() {
            self.store_backoff.reset();
            tracing::info!("unpublished changes can be read again");
        }
    }

    fn store_failed(&mut self, error: &StoreError) {
        let is_first = self.store_backoff.is_fresh();
        let delay = self.store_backoff.next();
        self.store_resumes = Instant::now() + delay;
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let error: &dyn Error = error;
        if is_first {
            tracing::warn!(error, delay_ms, "unpublished changes cannot be read; trying again");
        } else {
            tracing::debug!(error, delay_ms, "unpublished changes still cannot be read");
        }
        self.give_up_if_stopping();
    }

    // The gauges.

    /// Returns whether the store need not be asked for the age of the oldest unpublished change.
    fn knows_that_all_is_published(&self) -> bool {
        self.unpublished() == 0 && !self.parts.queue.needs_query()
    }

    fn show_age(&mut self, age: Option<Duration>) {
        if age.is_some() || self.is_age_shown {
            self.is_age_shown = age.is_some();
            self.parts.metrics.set_unpublished_age(age.unwrap_or_default());
        }
    }

    /// Returns how many inboxes were taken from the queue and are not published.
    fn in_progress(&self) -> usize {
        let marked = if self.is_shared { self.marks.len() } else { 0 };
        self.busy.len().saturating_sub(marked) + self.retries.waiting()
    }

    fn unpublished(&self) -> usize {
        self.in_progress() + self.parts.queue.len()
    }

    fn show_progress(&mut self) {
        self.parts.queue.set_in_progress(self.in_progress());
        if self.retries.is_empty() {
            self.failure_logged = false;
        }
    }

    // Waiting and stopping.

    /// Returns when there is something to do next, if nothing happens until then. What is due now
    /// and was not started waits for something that is running.
    fn wakes(&self, now: Instant) -> Option<Instant> {
        let queue = &self.parts.queue;
        let is_waiting = queue.len() > 0 || !self.ready.is_empty();
        let polls = self.is_shared || self.is_age_shown || self.unpublished() > 0;
        let next_retry = self.retries.next_due();
        let resumes = self.engine.resumes(is_waiting);
        let times = [
            self.marks.due(),
            Some(self.store_resumes),
            resumes.filter(|_| is_waiting || !self.ready_alone.is_empty()),
            next_retry.zip(resumes).map(|(due, resumes)| due.max(resumes)),
            next_retry.filter(|_| !self.engine.is_paused()),
            queue.needs_query().then_some(self.query_at),
            (polls && self.stopping.is_none()).then_some(self.poll_at),
        ];
        times.into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Starts publishing what is left. What fails alone now is left to the next start.
    fn begin_stopping(&mut self) {
        self.stopping = Some(Stopping::Draining);
        self.retries.make_due();
        self.engine.hurry();
        self.store_resumes = Instant::now();
        self.query_at = Instant::now();
    }

    fn give_up_if_stopping(&mut self) {
        if self.stopping == Some(Stopping::Draining) {
            self.stopping = Some(Stopping::GivingUp);
            self.put_back_ready();
        }
    }

    fn is_giving_up(&self) -> bool {
        matches!(self.stopping, Some(Stopping::GivingUp | Stopping::Done))
    }

    /// Returns whether nothing is being published and nothing more will be.
    fn is_idle(&self) -> bool {
        let is_drained = || {
            let queue = &self.parts.queue;
            queue.len() == 0
                && !queue.needs_query()
                && self.retries.waiting() == 0
                && self.ready.is_empty()
                && self.ready_alone.is_empty()
        };
        self.in_flight == 0 && !self.is_claiming && (self.is_giving_up() || is_drained())
    }

    fn has_stopped(&self) -> bool {
        let is_recorded = self.marks.len() == 0 || self.stopping == Some(Stopping::Done);
        self.stopping.is_some() && self.is_idle() && !self.is_recording && is_recorded
    }

    // The log.

    fn log_refusal(&mut self, error: &RealtimeError) {
        self.parts.refused.fetch_add(1, Ordering::Relaxed);
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.refusal_logged, true) {
            tracing::debug!(error, "the engine rejected an event");
        } else {
            tracing::warn!(error, "the engine rejected an event; clients catch up without it");
        }
    }

    fn log_failure(&mut self, user_id: &UserId, error: &RealtimeError) {
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.failure_logged, true) {
            tracing::debug!(user.id = %user_id, error, "an inbox cannot be published");
        } else {
            tracing::warn!(user.id = %user_id, error, "an inbox cannot be published; trying it again");
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
}

/// Waits until this time; for ever without one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
