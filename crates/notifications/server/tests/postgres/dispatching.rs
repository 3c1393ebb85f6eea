use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{InternalNotification, LiveEvent, NotificationId, Timestamp, UserId};
use internal_notifications_server::config::ChannelPrefix;
use internal_notifications_server::dispatcher::Dispatcher;
use internal_notifications_server::realtime::{LiveData, Realtime, RealtimeError};
use internal_notifications_server::store::postgres::PostgresStore;
use internal_notifications_server::store::{Push, Store};
use pusher_protocol::ChannelName;
use tokio::sync::Semaphore;

use crate::schema::Schema;

const LIMIT: Duration = Duration::from_secs(30);

/// An engine for several servers that detects concurrent publications on one channel. Each
/// publication takes a permit.
struct Engine {
    state: Mutex<State>,
    permits: Semaphore,
}

#[derive(Default)]
struct State {
    in_flight: BTreeMap<String, usize>,
    published: BTreeMap<String, Vec<u64>>,
    begun: usize,
    overlaps: usize,
}

/// A publication in progress, which ends when it is dropped.
struct InFlight<'e>(&'e Engine, String);

impl Engine {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), permits: Semaphore::new(permits) })
    }

    fn begin(&self, channel: &str) -> InFlight<'_> {
        let mut state = self.state.lock().unwrap();
        state.begun += 1;
        let now = state.in_flight.entry(channel.to_owned()).or_default();
        *now += 1;
        let overlaps = usize::from(*now > 1);
        state.overlaps += overlaps;
        InFlight(self, channel.to_owned())
    }

    async fn until(&self, condition: impl Fn(&State) -> bool) {
        let reached = async {
            while !condition(&self.state.lock().unwrap()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(LIMIT, reached).await.expect("the state should be reached");
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        *self.0.state.lock().unwrap().in_flight.get_mut(&self.1).unwrap() -= 1;
    }
}

#[async_trait]
impl Realtime for Engine {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        let _in_flight = self.begin(channel.as_ref());
        self.permits.acquire().await.unwrap().forget();
        // Gives another server a chance to interfere.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let seqs = events.iter().map(|event| match LiveEvent::parse(&event.data) {
            Some(LiveEvent::Change(change)) => change.stamp.seq,
            Some(LiveEvent::Thin(stamp)) => stamp.seq,
            other => panic!("not an inbox event: {other:?}"),
        });
        self.state.lock().unwrap().published.entry(channel.to_string()).or_default().extend(seqs);
        Ok(())
    }

    fn concurrency(&self) -> usize {
        8
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        unreachable!("the dispatcher closes no connections")
    }
}

fn push(name: &str, users: &[&str]) -> Push {
    let id = NotificationId::new(name).unwrap();
    let user_ids = users.iter().map(|name| UserId::new(*name).unwrap()).collect();
    let at = Timestamp::from_second(1_700_000_000).unwrap();
    Push::new(id, "key:shop", InternalNotification::new("c"), user_ids, at)
}

async fn server(schema: &Schema, engine: &Arc<Engine>) -> (Arc<PostgresStore>, Dispatcher) {
    let store = Arc::new(schema.open(schema.options()).await);
    let channels = ChannelPrefix::default();
    (store.clone(), Dispatcher::start(store, engine.clone(), channels, Arc::default()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_servers_publish_each_change_once_and_never_on_one_channel_at_the_same_time() {
    let Some(schema) = Schema::new() else { return };
    let engine = Engine::new(Semaphore::MAX_PERMITS);
    let servers = [server(&schema, &engine).await, server(&schema, &engine).await];
    let tasks: Vec<_> = (0..2)
        .map(|node: usize| {
            let store = servers[node].0.clone();
            tokio::spawn(async move {
                for number in 0..40 {
                    let users = ["ada", "bob", "eve", "joe"];
                    store
                        .push(push(&format!("n-{node}-{number}"), &users[number % 2..number % 2 + 3]))
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    engine.until(|state| state.published.values().flatten().count() >= 2 * 40 * 3).await;
    for (_, dispatcher) in servers {
        dispatcher.stop(LIMIT).await;
    }
    let state = engine.state.lock().unwrap();
    assert_eq!(state.overlaps, 0);
    for (channel, seqs) in &state.published {
        assert_eq!(*seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "{channel}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_publication_is_abandoned_before_another_server_may_take_over() {
    let Some(schema) = Schema::new() else { return };
    let engine = Engine::new(0);
    let first = server(&schema, &engine).await;
    first.0.push(push("n", &["ada"])).await.unwrap();
    engine.until(|state| state.begun == 1).await;
    let _second = server(&schema, &engine).await;
    // Both servers compete for several leases, but never publish at the same time.
    engine.until(|state| state.begun >= 3).await;
    engine.permits.add_permits(100);
    engine.until(|state| state.published.contains_key("private-ada")).await;
    assert_eq!(engine.state.lock().unwrap().overlaps, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_a_killed_server_are_published_by_another_within_seconds() {
    let Some(schema) = Schema::new() else { return };
    let (blocked, engine) = (Engine::new(0), Engine::new(100));
    let (store, dispatcher) = server(&schema, &blocked).await;
    store.push(push("n", &["ada", "bob"])).await.unwrap();
    blocked.until(|state| state.begun == 2).await;
    let _other = server(&schema, &engine).await;
    drop((dispatcher, store));
    let taken_over = engine.until(|state| state.published.len() == 2);
    tokio::time::timeout(Duration::from_secs(10), taken_over)
        .await
        .expect("another server should take over soon after the lease ends");
}
