mod claiming;
mod log;
mod recording;
mod sending;
mod stopping;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use internal_notifications_models::UserId;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::engine_health::EngineHealth;
use super::publish_queue::PublishQueue;
use super::published_marks::PublishedMarks;
use super::request::{InboxEvents, Outcome, Request};
use super::retries::Retries;
use super::store_calls::{Claimed, Recorded};
use crate::backoff::Backoff;
use crate::config::ChannelPrefix;
use crate::metrics::Metrics;
use crate::realtime::Realtime;
use crate::store::Store;

/// How long a request for several inboxes may take if the engine is usually fast. Then each is
/// tried alone, in case one of them makes the engine hang.
const PATIENCE: Duration = Duration::from_millis(500);
/// The most bytes of a request for several inboxes, halved when the engine rejects such a request,
/// and raised again step by step.
const REQUEST_BYTES: usize = 64 << 10;

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
    /// Whether the last claim was a retry, if there is one request at a time.
    was_retry: bool,
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
            was_retry: false,
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
            // First, so that the next inboxes are claimed while these requests run.
            self.start_requests();
            self.start_claim();
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
}

/// Waits until this time; for ever without one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
