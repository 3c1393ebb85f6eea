use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use internal_notifications_models::UserId;
use pusher_broker::Broker;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::accept::{local_url, serve};
use crate::auth::{Credentials, TokenIssuer};
use crate::config::{Config, Limits, OutboxDatabase, RealtimeConfig};
use crate::dispatcher::{Commits, Dispatcher};
use crate::error::Error;
use crate::http::{App, build_router};
use crate::live::Live;
use crate::metrics::{Measured, Metrics};
use crate::relay::{IntentSource, Relay, Rules};
use crate::store::Store;
use crate::upkeep::Upkeep;
use crate::{Clock, SystemClock, kept};

/// Starts a server from a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Server;

/// A server that runs until it is shut down; dropped, it stops at once, and loses nothing that it acknowledged.
pub struct RunningServer {
    address: SocketAddr,
    issuer: Option<TokenIssuer>,
    kept_secret: bool,
    store: Arc<dyn Store>,
    upkeep: Upkeep,
    dispatcher: Dispatcher,
    relay: Relay,
    broker: Option<Broker>,
    limits: Limits,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Opens the database, makes what credentials are missing, listens and serves.
    ///
    /// # Errors
    /// The configuration contradicts itself, the database cannot be used, the address cannot be listened on.
    pub async fn start(config: Config) -> Result<RunningServer, Error> {
        config.check()?;
        let commits = Arc::new(Commits::new());
        let metrics = Arc::new(Metrics::new());
        let store = config.database.open(commits.clone()).await?;
        let store: Arc<dyn Store> = Arc::new(Measured::new(store, metrics.clone()));
        let started = start_over(config, store.clone(), commits, metrics).await;
        if started.is_err() {
            store.close().await;
        }
        started
    }
}

async fn start_over(
    config: Config,
    store: Arc<dyn Store>,
    commits: Arc<Commits>,
    metrics: Arc<Metrics>,
) -> Result<RunningServer, Error> {
    if let RealtimeConfig::Embedded(_) = config.realtime {
        store.lock_broker().await?;
    }
    let (jwt, kept_secret) = kept::jwt_key(store.as_ref(), &config).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let claims = config.auth.claims.clone();
    let authenticator = Credentials::new(&config.auth.api_keys, jwt.as_ref(), claims.clone(), clock.clone());
    let live = Live::new(store.as_ref(), &config).await?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.map_err(|error| Error::listen(config.listen, &error))?;
    let address = listener.local_addr().map_err(|error| Error::listen(config.listen, &error))?;

    let channels = config.channel_prefix.clone();
    let waiting = commits.clone();
    metrics.watch("unpublished_inboxes", "Inboxes whose changes wait to be published", move || {
        waiting.waiting()
    });
    let dispatcher =
        Dispatcher::start_measured(commits, store.clone(), live.realtime, channels.clone(), metrics.clone());
    let rules = Rules { channels: channels.clone(), limits: config.limits.clone() };
    let relay = Relay::start_measured(intents(&config), store.clone(), clock.clone(), rules, metrics.clone());
    let upkeep = Upkeep::start(store.clone(), clock.clone(), config.retention, config.sweep_interval);
    let mut app = App::new(store.clone(), Arc::new(authenticator), live.signer)
        .with_clock(clock)
        .with_access(live.access)
        .with_connections(live.connections)
        .with_channel_prefix(channels)
        .with_position_check_seconds(config.position_check_seconds)
        .with_allowed_hosts(config.allowed_hosts)
        .with_cors_origins(config.cors_origins)
        .with_limits(config.limits.clone())
        .with_metrics(metrics.clone());
    if let Some(broker) = live.broker.clone() {
        let connected = broker.clone();
        metrics.watch("broker_connections", "Sockets that are connected to the embedded broker", move || {
            connected.connections()
        });
        app = app.with_broker(broker);
    }
    let router = build_router(app);
    let (stop, stopped) = oneshot::channel::<()>();
    let limits = config.limits.clone();
    let serving = tokio::spawn(async move {
        serve(listener, router, &limits, async { drop(stopped.await) }).await;
    });
    Ok(RunningServer {
        address,
        issuer: jwt.and_then(|key| TokenIssuer::of(&key, claims)),
        kept_secret,
        store,
        upkeep,
        dispatcher,
        relay,
        broker: live.broker,
        limits: config.limits,
        stop: Some(stop),
        serving,
    })
}

impl RunningServer {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL on this machine.
    pub fn url(&self) -> String {
        local_url(self.address)
    }

    /// A token of an app user; none where the server has no secret to make one with.
    pub fn token(&self, user_id: &UserId, ttl: Duration, push: bool) -> Option<String> {
        let issuer = self.issuer.as_ref()?;
        Some(issuer.mint(user_id, SystemClock.now(), ttl, push))
    }

    /// Whether the secret of tokens was made by the server and is kept in the database.
    pub fn keeps_token_secret(&self) -> bool {
        self.kept_secret
    }

    /// Inboxes whose changes the engine refused for good, since the start.
    pub fn refused(&self) -> u64 {
        self.dispatcher.refused()
    }

    /// Stops accepting, lets running requests finish, publishes and writes what is left: what was acknowledged is finished.
    pub async fn shutdown(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = (&mut self.serving).await;
        self.relay.stop(self.limits.shutdown_timeout).await;
        self.upkeep.stop(self.limits.shutdown_timeout).await;
        self.dispatcher.stop(self.limits.shutdown_timeout).await;
        if let Some(broker) = self.broker.take() {
            broker.shutdown().await;
        }
        self.store.close().await;
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.serving.abort();
        // Upgraded connections are the broker's, and would outlive the rest.
        if let (Some(broker), Ok(runtime)) = (self.broker.take(), Handle::try_current()) {
            runtime.spawn(async move { broker.shutdown().await });
        }
    }
}

impl std::fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningServer").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Those of the server's own database, and those of the apps'.
fn intents(config: &Config) -> Vec<Box<dyn IntentSource>> {
    let own = OutboxDatabase::from(config.database.clone()).own_intents();
    [own].into_iter().chain(config.outboxes.iter().map(OutboxDatabase::intents)).collect()
}
