//! The server: the real router, broker, dispatcher, relay and upkeep, over a store whose commits survive a crash.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{Tag, UserId};
use internal_notifications_server::auth::{AuthError, Authenticator, Principal};
use internal_notifications_server::config::ChannelPrefix;
use internal_notifications_server::dispatcher::{Commits, Dispatcher};
use internal_notifications_server::realtime::Embedded;
use internal_notifications_server::relay::{Relay, Rules};
use internal_notifications_server::store::memory::{MemoryOptions, MemoryStore};
use internal_notifications_server::store::{Retention, Store};
use internal_notifications_server::upkeep::Upkeep;
use internal_notifications_server::{App, Clock, Ids, Limits, build_router};
use pusher_broker::Broker;
use pusher_signer::Signer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::backend::BACKEND;
use crate::bug::Bug;
use crate::clock::SimulatedClock;
use crate::device::POSITION_CHECK;
use crate::intents::Intents;
use crate::network::{SERVER, serve};
use crate::planted::{MarksFirst, TrimsSilently};
use crate::recorder::Recorder;
use crate::world::World;

/// How many changes a log keeps: few, so that devices fall behind it.
const LOG: u64 = 8;
/// How often they are cut.
const SWEEPS: Duration = Duration::from_secs(5);

pub(crate) async fn run(world: Arc<World>) -> turmoil::Result {
    let seed = world.started(SERVER);
    world.note(SERVER, "starts");
    world.seen().published.values_mut().for_each(|published| published.newest = 0);
    let random = move |part: u64| Mutex::new(StdRng::seed_from_u64(seed ^ part));
    let clock: Arc<dyn Clock> = Arc::new(SimulatedClock);

    let commits = Arc::new(Commits::new());
    let tags = random(1);
    let tag = move || Tag::from_bits(tags.lock().unwrap_or_else(PoisonError::into_inner).random());
    let options = MemoryOptions::default().with_commit_listener(commits.clone()).with_tags(tag);
    let store: Arc<dyn Store> = Arc::new(MemoryStore::open(world.data(), options));
    let store: Arc<dyn Store> = match world.bug {
        Some(Bug::MarkedBeforePublished) => Arc::new(MarksFirst(store)),
        Some(Bug::TrimmedAboveReader) => Arc::new(TrimsSilently(store)),
        _ => store,
    };

    let signer = Signer::new("key", "secret");
    let broker = broker(signer.clone(), clock.clone(), random(2));
    let realtime = Recorder { world: world.clone(), broker: Embedded(broker.clone()), rng: random(3) };
    let channels = ChannelPrefix::default();
    let rules = Rules { channels: channels.clone(), limits: Limits::default() };
    let _dispatcher = Dispatcher::start(commits, store.clone(), Arc::new(realtime), channels);
    let intents = Intents { world: world.clone(), again: None };
    let _relay = Relay::start(vec![Box::new(intents)], store.clone(), clock.clone(), rules);
    let mut keep = Retention::default();
    keep.log_count = Some(LOG);
    let _upkeep = Upkeep::start(store.clone(), clock.clone(), keep, SWEEPS);

    let app = App::new(store, Arc::new(Bearers), signer)
        .with_clock(clock)
        .with_ids(Arc::new(Numbers(random(4))))
        .with_broker(broker)
        .with_position_check_seconds(POSITION_CHECK.as_secs());
    serve(build_router(app)).await?;
    Ok(())
}

fn broker(signer: Signer, clock: Arc<dyn Clock>, rng: Mutex<StdRng>) -> Broker {
    let mut limits = pusher_broker::Limits::default();
    // Found sooner than in the field, so that a simulation is short.
    limits.activity_timeout = Duration::from_secs(15);
    limits.pong_timeout = Duration::from_secs(10);
    Broker::builder("1", signer)
        .limits(limits)
        .clock(move || Duration::from_secs(clock.now().as_second().unsigned_abs()))
        .random(move || rng.lock().unwrap_or_else(PoisonError::into_inner).random())
        .build()
}

/// The bearer is the name.
struct Bearers;

#[async_trait]
impl Authenticator for Bearers {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        if bearer == BACKEND {
            return Ok(Principal::Key { name: bearer.to_owned() });
        }
        let unknown = AuthError::Unauthenticated("nobody has that name");
        UserId::new(bearer)
            .map(|id| Principal::User { id, may_push: false, until: None })
            .map_err(|_| unknown)
    }
}

/// Ids that the seed gives.
struct Numbers(Mutex<StdRng>);

impl Ids for Numbers {
    fn next(&self) -> String {
        format!("{:016x}", self.0.lock().unwrap_or_else(PoisonError::into_inner).random::<u64>())
    }
}
