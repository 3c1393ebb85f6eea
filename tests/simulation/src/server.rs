//! The server: the real router, broker, dispatcher, relay and upkeep over a store whose commits
//! survive a crash.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{Tag, UserId};
use internal_notifications_server::auth::{AuthError, Authenticator, Principal};
use internal_notifications_server::config::Config;
use internal_notifications_server::realtime::{EmbeddedBroker, RealtimeParts};
use internal_notifications_server::store::memory::{MemoryOptions, MemoryStore};
use internal_notifications_server::store::{Retention, Store};
use internal_notifications_server::{Clock, IdGenerator, Node};
use pusher_broker::Broker;
use pusher_signer::Signer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::backend::BACKEND;
use crate::bug::Bug;
use crate::clock::SimulatedClock;
use crate::device::POSITION_CHECK;
use crate::faulty_stores::{MarksBeforePublishing, TrimsSilently};
use crate::intents::Intents;
use crate::network::{SERVER, serve};
use crate::recorder::Recorder;
use crate::world::World;

/// The length of the change logs: short, so that devices fall behind them.
const LOG_LENGTH: u64 = 8;
/// How often the logs are trimmed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

pub(crate) async fn run(world: Arc<World>) -> turmoil::Result {
    let seed = world.start_host(SERVER);
    world.note(SERVER, "starts");
    world.seen().published.values_mut().for_each(|published| published.newest = 0);
    let random = move |part: u64| Mutex::new(StdRng::seed_from_u64(seed ^ part));

    let tags = random(1);
    let tag = move || Tag::from_bits(tags.lock().unwrap_or_else(PoisonError::into_inner).random());
    let options = MemoryOptions::default().with_tags(tag);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::open(world.data(), options));
    let store: Arc<dyn Store> = match world.bug {
        Some(Bug::MarkedBeforePublished) => Arc::new(MarksBeforePublishing(store)),
        Some(Bug::TrimmedAboveReader) => Arc::new(TrimsSilently(store)),
        _ => store,
    };

    let signer = Signer::new("key", "secret");
    let broker = broker(signer.clone(), random(2));
    let published_to = EmbeddedBroker(broker.clone());
    let recorder = Recorder { world: world.clone(), broker: published_to, rng: random(3) };
    let config = Config::new()
        .with_position_check_seconds(POSITION_CHECK.as_secs())
        .with_retention(Retention::default().with_log_count(Some(LOG_LENGTH)))
        .with_sweep_interval(SWEEP_INTERVAL);
    let node = Node::builder(store)
        .config(config)
        .authenticator(NamesAsTokens)
        .clock(SimulatedClock)
        .ids(SeededIds(random(4)))
        .realtime(RealtimeParts::new(recorder, signer).with_broker(broker))
        .intent_source(Intents { world: world.clone(), again: None })
        .start()
        .await?;
    serve(node.router()).await?;
    Ok(())
}

fn broker(signer: Signer, rng: Mutex<StdRng>) -> Broker {
    let mut limits = pusher_broker::Limits::default();
    // Notice dead connections sooner than in production, so that a simulation is short.
    limits.activity_timeout = Duration::from_secs(15);
    limits.pong_timeout = Duration::from_secs(10);
    Broker::builder("1", signer)
        .limits(limits)
        .clock(move || Duration::from_secs(SimulatedClock.now().as_second().unsigned_abs()))
        .random(move || rng.lock().unwrap_or_else(PoisonError::into_inner).random())
        .build()
}

/// Accepts a user's name as the bearer token.
struct NamesAsTokens;

#[async_trait]
impl Authenticator for NamesAsTokens {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        if bearer == BACKEND {
            return Ok(Principal::key(bearer));
        }
        let unknown = AuthError::Unauthenticated("unknown name".into());
        UserId::new(bearer).map(Principal::user).map_err(|_| unknown)
    }
}

/// Generates ids from the seed.
struct SeededIds(Mutex<StdRng>);

impl IdGenerator for SeededIds {
    fn next_id(&self) -> String {
        format!("{:016x}", self.0.lock().unwrap_or_else(PoisonError::into_inner).random::<u64>())
    }
}
