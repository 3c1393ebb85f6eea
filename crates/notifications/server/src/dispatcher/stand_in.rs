//! A stand-in engine under tokio's paused clock, and a dispatcher over a store in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use internal_notifications_models::{InternalNotification, LiveEvent, NotificationId, Timestamp, UserId};
use pusher_protocol::ChannelName;
use tokio::time::Instant;

use super::*;
use crate::Clock;
use crate::realtime::{ChannelEvents, LiveData, RealtimeError};
use crate::store::Push;
use crate::store::memory::{MemoryData, MemoryOptions, MemoryStore};

/// An engine with a delay that fails as told.
pub(super) struct StandIn {
    delay: Duration,
    batch_size: usize,
    concurrency: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What happens to requests with events of this channel.
    faults: BTreeMap<String, Fault>,
    /// What happens to all requests.
    fault_of_all: Option<Fault>,
    published: BTreeMap<String, Vec<(u64, Instant)>>,
    requests: Vec<Vec<String>>,
    in_flight: Vec<String>,
    requests_in_flight: usize,
    most_in_flight: usize,
    overlaps: usize,
}

#[derive(Clone)]
pub(super) enum Fault {
    Fail(RealtimeError),
    /// Requests with several events are too large.
    Several,
    Hang,
}

pub(super) fn failing() -> Fault {
    Fault::Fail(RealtimeError::retryable("503"))
}

pub(super) fn too_large() -> Fault {
    Fault::Fail(RealtimeError::permanent("413"))
}

pub(super) fn rejecting() -> Fault {
    Fault::Fail(RealtimeError::rejected("401"))
}

struct InFlight<'e>(&'e StandIn, Vec<String>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().expect("not poisoned");
        state.requests_in_flight -= 1;
        state.in_flight.retain(|channel| !self.1.contains(channel));
    }
}

impl StandIn {
    fn begin(&self, channels: Vec<String>) -> InFlight<'_> {
        let mut state = self.state.lock().expect("not poisoned");
        state.requests.push(channels.clone());
        state.overlaps += channels.iter().filter(|channel| state.in_flight.contains(channel)).count();
        state.in_flight.extend(channels.iter().cloned());
        state.requests_in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.requests_in_flight);
        InFlight(self, channels)
    }

    fn fault(&self, channels: &[String]) -> Option<Fault> {
        let state = self.state.lock().expect("not poisoned");
        let of_channel = channels.iter().find_map(|channel| state.faults.get(channel));
        state.fault_of_all.as_ref().or(of_channel).cloned()
    }

    pub(super) fn set_fault(&self, user: &str, fault: Option<Fault>) {
        let mut state = self.state.lock().expect("not poisoned");
        let channel = format!("private-{user}");
        match fault {
            Some(fault) => drop(state.faults.insert(channel, fault)),
            None => drop(state.faults.remove(&channel)),
        }
    }

    pub(super) fn set_fault_of_all(&self, fault: Option<Fault>) {
        self.state.lock().expect("not poisoned").fault_of_all = fault;
    }

    /// Returns how many requests there were.
    pub(super) fn requests(&self) -> usize {
        self.state.lock().expect("not poisoned").requests.len()
    }

    /// Returns how many requests had events of this user.
    pub(super) fn requests_of(&self, user: &str) -> usize {
        let channel = format!("private-{user}");
        let state = self.state.lock().expect("not poisoned");
        state.requests.iter().filter(|request| request.contains(&channel)).count()
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.state.lock().expect("not poisoned").most_in_flight
    }

    pub(super) fn seqs(&self, user: &str) -> Vec<u64> {
        self.published(user).into_iter().map(|(seq, _)| seq).collect()
    }

    pub(super) fn published(&self, user: &str) -> Vec<(u64, Instant)> {
        let state = self.state.lock().expect("not poisoned");
        state.published.get(&format!("private-{user}")).cloned().unwrap_or_default()
    }

    /// Checks that no two requests had events of one channel at the same time, and that each
    /// channel's events arrived in order.
    pub(super) fn check_order(&self) {
        let state = self.state.lock().expect("not poisoned");
        assert_eq!(state.overlaps, 0);
        for (channel, events) in &state.published {
            assert!(events.is_sorted_by(|a, b| a.0 < b.0), "{channel}: {events:?}");
        }
    }
}

#[async_trait]
impl Realtime for StandIn {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        self.publish_batch(&[ChannelEvents::new(channel.clone(), events.to_vec())]).await
    }

    async fn publish_batch(&self, batch: &[ChannelEvents]) -> Result<(), RealtimeError> {
        let channels: Vec<String> = batch.iter().map(|of| of.channel.to_string()).collect();
        assert_eq!(channels.iter().collect::<BTreeSet<_>>().len(), channels.len());
        let events: usize = batch.iter().map(|of| of.events.len()).sum();
        assert!(events <= self.batch_size || channels.len() == 1, "{events} events");
        let in_flight = self.begin(channels);
        tokio::time::sleep(self.delay).await;
        match self.fault(&in_flight.1) {
            Some(Fault::Fail(error)) => return Err(error),
            Some(Fault::Several) if events > 1 => return Err(RealtimeError::permanent("413")),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Several) | None => {}
        }
        let mut state = self.state.lock().expect("not poisoned");
        for of in batch {
            let seq = |event: &LiveData| match LiveEvent::parse(&event.data) {
                Some(LiveEvent::Change(change)) => change.stamp.seq,
                Some(LiveEvent::Thin(stamp)) => stamp.seq,
                other => panic!("not an inbox event: {other:?}"),
            };
            let events = of.events.iter().map(|event| (seq(event), Instant::now()));
            state.published.entry(of.channel.to_string()).or_default().extend(events);
        }
        Ok(())
    }

    fn batch_size(&self) -> usize {
        self.batch_size
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        unreachable!("the dispatcher closes no connections")
    }
}

/// A clock that follows tokio's paused time.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(self.0.elapsed()).expect("not so late")
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A stand-in engine and inboxes.
pub(super) struct Bench {
    pub(super) engine: Arc<StandIn>,
    pub(super) store: Arc<MemoryStore>,
    pub(super) metrics: Arc<Metrics>,
    data: MemoryData,
    is_shared: bool,
    pushed: AtomicU64,
}

impl Bench {
    /// Returns a bench whose engine takes this long for each request.
    pub(super) fn new(delay_ms: u64) -> Self {
        Self::with(delay_ms, 32, false)
    }

    /// Returns a bench whose engine gets one request at a time.
    pub(super) fn one_at_a_time(delay_ms: u64) -> Self {
        Self::with(delay_ms, 1, false)
    }

    /// Returns a bench whose store several servers share.
    pub(super) fn shared(delay_ms: u64) -> Self {
        Self::with(delay_ms, 32, true)
    }

    fn with(delay_ms: u64, concurrency: usize, is_shared: bool) -> Self {
        let data = MemoryData::new(Arc::new(Paused(Instant::now())));
        let delay = Duration::from_millis(delay_ms);
        let engine = StandIn { delay, batch_size: 10, concurrency, state: Mutex::default() };
        Self {
            engine: Arc::new(engine),
            store: open(&data, is_shared),
            metrics: Arc::default(),
            data,
            is_shared,
            pushed: AtomicU64::new(0),
        }
    }

    pub(super) fn start(&self) -> Dispatcher {
        let (store, channels) = (self.store.clone(), ChannelPrefix::default());
        Dispatcher::start(store, self.engine.clone(), channels, self.metrics.clone())
    }

    /// Starts another server over the same inboxes and the same engine.
    pub(super) fn start_another(&self) -> Dispatcher {
        let (store, channels) = (open(&self.data, self.is_shared), ChannelPrefix::default());
        Dispatcher::start(store, self.engine.clone(), channels, Arc::default())
    }

    /// Pushes to these users in one commit.
    pub(super) async fn push<'u>(&self, users: impl IntoIterator<Item = &'u str>) {
        let number = self.pushed.fetch_add(1, Ordering::Relaxed);
        let id = NotificationId::new(format!("n{number}")).expect("valid");
        let user_ids = users.into_iter().map(|user| UserId::new(user).expect("valid")).collect();
        let content = InternalNotification::new("hello");
        let push = Push::new(id, "key:test", content, user_ids, Timestamp::UNIX_EPOCH);
        self.store.push(push).await.expect("stored");
    }

    pub(super) async fn behind(&self) -> usize {
        self.store.unpublished_users(100_000).await.expect("readable").len()
    }

    /// Returns the value of a metric.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let text = self.metrics.text();
        let line =
            text.lines().find_map(|line| line.strip_prefix(&format!("internal_notifications_{name} ")));
        line.expect("it exists").parse().expect("a number")
    }
}

fn open(data: &MemoryData, is_shared: bool) -> Arc<MemoryStore> {
    Arc::new(MemoryStore::open(data.clone(), MemoryOptions::default().with_shared(is_shared)))
}

/// Returns the names of so many users.
pub(super) fn users(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

/// Waits until the condition holds, and returns how long that took.
pub(super) async fn until(mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(600), "it never held");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    begun.elapsed()
}
