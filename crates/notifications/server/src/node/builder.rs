use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Node;
use super::drop_guard::DropGuard;
use crate::auth::{Authenticator, KeysAndTokens, Policy, PushScope};
use crate::clock_guard::ClockGuard;
use crate::config::{Config, OutboxDatabase};
use crate::dispatcher::Dispatcher;
use crate::error::Error;
use crate::health::Health;
use crate::http::{AppState, BodyBudget, build_router};
use crate::metrics::{MeteredStore, Metrics};
use crate::realtime::RealtimeParts;
use crate::relay::{IntentSource, PushRules, Relay, intent_source, own_intent_source};
use crate::store::Store;
use crate::supervisor::Tasks;
use crate::upkeep::Upkeep;
use crate::{Clock, IdGenerator, SystemClock, UuidV7};

/// Builds a [`Node`].
#[must_use]
pub struct NodeBuilder {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) config: Config,
    authenticator: Option<Arc<dyn Authenticator>>,
    policy: Arc<dyn Policy>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    realtime: Option<RealtimeParts>,
    intents: Vec<Box<dyn IntentSource>>,
}

impl NodeBuilder {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            config: Config::new(),
            authenticator: None,
            policy: Arc::new(PushScope),
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidV7),
            realtime: None,
            intents: Vec::new(),
        }
    }

    /// Replaces the default configuration. `listen` and `database` have no effect.
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// Identifies callers with the app's own login, instead of [`KeysAndTokens`] with the
    /// configured credentials.
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        Self { authenticator: Some(Arc::new(authenticator)), ..self }
    }

    /// Decides who may push to whom, instead of [`PushScope`].
    pub fn policy(self, policy: impl Policy) -> Self {
        Self { policy: Arc::new(policy), ..self }
    }

    /// Replaces the clock of the machine. Beside a shared store, only credentials expire by it: the
    /// database's time decides about the inboxes.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Replaces [`UuidV7`] as the source of ids.
    pub fn ids(self, ids: impl IdGenerator) -> Self {
        Self { ids: Arc::new(ids), ..self }
    }

    /// Delivers live events through this engine, instead of the configured one.
    pub fn realtime(self, realtime: RealtimeParts) -> Self {
        Self { realtime: Some(realtime), ..self }
    }

    /// Relays intents from a further source, besides the configured outboxes.
    pub fn intent_source(mut self, source: impl IntentSource) -> Self {
        self.intents.push(Box::new(source));
        self
    }

    /// Relays the intents in the store's own database, and creates the outbox table there.
    pub fn own_outbox(mut self, database: &OutboxDatabase) -> Self {
        self.intents.push(own_intent_source(database));
        self
    }

    /// Starts the node. An embedded broker beside a shared database locks this database, so that a
    /// second embedded broker cannot start beside it: its clients would miss live events.
    ///
    /// # Errors
    /// Returns an [`Error`] if a setting is out of bounds, if there are neither configured
    /// credentials nor an authenticator, if another embedded broker holds the database, or if the
    /// store or the engine cannot be used. The store is closed then.
    pub async fn start(self) -> Result<Node, Error> {
        let store = self.store.clone();
        let started = self.start_parts().await;
        if started.is_err() {
            store.close().await;
        }
        started
    }

    async fn start_parts(self) -> Result<Node, Error> {
        let Self { store, config, authenticator, policy, clock, ids, realtime, intents } = self;
        config.check_values()?;
        let authenticator = match authenticator {
            Some(authenticator) => authenticator,
            None => Arc::new(KeysAndTokens::new(config.credentials()?, clock.clone())),
        };
        let metrics = Arc::new(Metrics::new());
        let store: Arc<dyn Store> = Arc::new(MeteredStore::new(store, metrics.clone()));
        let realtime = match realtime {
            Some(realtime) => realtime,
            None => RealtimeParts::from_config(&config, store.as_ref()).await?,
        };
        if let Some(broker) = realtime.broker.clone() {
            store.lock_broker().await?;
            metrics.watch_broker(broker);
        }

        let guard = Arc::new(ClockGuard::start(store.as_ref(), clock.clone(), config.confirm_clock).await?);
        metrics.watch("clock_in_doubt", "Whether the clock is in doubt, which suspends removing by age", {
            let guard = guard.clone();
            move || usize::from(guard.is_in_doubt())
        });

        let channels = config.channel_prefix.clone();
        let engine = realtime.realtime.clone();
        let dispatcher = Dispatcher::start(store.clone(), engine, channels.clone(), metrics.clone());
        let sources = intents.into_iter().chain(config.outboxes.iter().map(intent_source)).collect();
        let rules = PushRules::new(channels, config.limits.push());
        let relay = Relay::start(sources, store.clone(), guard.clone(), rules, metrics.clone());
        let (retention, interval) = (config.retention.clone(), config.sweep_interval);
        let upkeep = Upkeep::start(store.clone(), guard.clone(), retention, interval);
        let mut tasks = Tasks::default();
        tasks.add("dispatcher", dispatcher.ended());
        relay.supervised(&mut tasks);
        upkeep.supervised(&mut tasks);
        tasks.add_all({
            let store = store.clone();
            async move { format!("{} of the store", store.failed().await) }
        });
        if let Some(broker) = &realtime.broker {
            let failed = broker.failed();
            tasks.add_all(async move { format!("{} of the broker", failed.await) });
        }
        let supervisor = tasks.supervise();
        let health = Health::new(store.clone());
        health.watch(supervisor.problem());
        let engine_status = dispatcher.engine();
        health.watch(move || engine_status.rejection());
        let bodies = Arc::new(BodyBudget::new(&config.limits));
        let held = bodies.clone();
        metrics.watch("buffered_body_bytes", "Bytes of request bodies in memory", move || held.held());
        let stopped = CancellationToken::new();
        Ok(Node {
            guard: DropGuard { stopped: stopped.clone(), broker: realtime.broker.clone() },
            metrics: metrics.clone(),
            store: store.clone(),
            relay,
            upkeep,
            dispatcher,
            supervisor,
            shutdown_timeout: config.limits.shutdown_timeout,
            router: build_router(AppState {
                store,
                authenticator,
                policy,
                clock,
                guard,
                ids,
                realtime,
                config,
                metrics,
                health,
                bodies,
                stopped,
            }),
        })
    }
}

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeBuilder").field("config", &self.config).finish_non_exhaustive()
    }
}
