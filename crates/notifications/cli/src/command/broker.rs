mod webhooks;

use std::net::SocketAddr;

use clap::Args;
use futures_util::FutureExt;
use internal_notifications::with_causes;
use internal_notifications_server::config::{EmbeddedConfig, RealtimeConfig, set_broker_limits};
use internal_notifications_server::{Config, Limits, broker_router, listen, local_url, serve};
use pusher_broker::{AllowedOrigin, Broker as Channels, Builder, TrustedProxy};
use pusher_client::Roots;
use pusher_signer::Signer;
use serde_json::json;
use tokio::sync::oneshot;

use crate::env::Env;
use crate::error::Error;
use crate::logging;
use crate::open_files;
use crate::output::Output;
use crate::signals::Signals;

/// The required variables, each with a description.
const CREDENTIALS: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "the app's id"),
    ("PUSHER_APP_KEY", "the app's key"),
    ("PUSHER_APP_SECRET", "the app's secret"),
];

/// Further variables that are read.
const SETTINGS: [&str; 5] = [
    "INTERNAL_NOTIFICATIONS_WEBHOOKS",
    "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS",
    "INTERNAL_NOTIFICATIONS_BROKER_LIMITS",
    "INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES",
    "INTERNAL_NOTIFICATIONS_CA_FILE",
];

/// Run the Channels broker alone, until Ctrl-C or SIGTERM, for development and tests with several
/// servers
///
/// It serves the app of PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET. Servers publish
/// through it if they have the same three variables, and its address in PUSHER_HOST, PUSHER_PORT
/// and PUSHER_SCHEME=http. GET /health answers while it runs, GET /metrics with metrics for
/// Prometheus. Logs go to stderr; RUST_LOG sets the level.
#[derive(Args)]
pub(crate) struct Broker {
    /// The address to listen on, like 127.0.0.1:6001; port 0 chooses a free port
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Let clients send events to each other on private and presence channels
    #[arg(long)]
    client_events: bool,
    /// Tell the subscribers of a channel, and webhooks, how many they are
    #[arg(long)]
    subscription_counts: bool,
    /// The URL to send all webhooks to, or a JSON object with "url", "event_types",
    /// "filter": {"channel_name_starts_with"} and "headers"; may be repeated
    ///
    /// INTERNAL_NOTIFICATIONS_WEBHOOKS may hold a JSON array of further ones, which is safer for
    /// headers with secrets. INTERNAL_NOTIFICATIONS_CA_FILE names a PEM file with authorities to
    /// trust.
    #[arg(long, value_name = "URL|JSON")]
    webhook: Vec<String>,
    /// The web pages that may connect, like https://app.example.com, *.example.com or
    /// app.example.com; may be repeated; by default all
    ///
    /// They come on top of those in INTERNAL_NOTIFICATIONS_BROKER_ORIGINS. Others are closed with
    /// code 4009. Programs that send no Origin always may connect.
    #[arg(long, value_name = "ORIGIN")]
    allowed_origin: Vec<AllowedOrigin>,
    /// A proxy whose X-Forwarded-For is believed, like 10.0.0.7 or 10.0.0.0/8; may be repeated
    ///
    /// They come on top of those in INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES. An address may have a
    /// thousand connections by default (--limits connections_per_address=1000). Behind a public
    /// proxy that is not named here, all clients count as one.
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<TrustedProxy>,
    /// Limits that differ from their defaults, like connections=20000,cache_seconds=60; may be
    /// repeated
    ///
    /// They come on top of those in INTERNAL_NOTIFICATIONS_BROKER_LIMITS. An unknown name lists
    /// all.
    #[arg(long, value_name = "NAME=NUMBER,…")]
    limits: Vec<String>,
    /// Print the address as JSON
    #[arg(long)]
    json: bool,
}

impl Broker {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        logging::start(env, logging::SERVER_FILTER)?;
        let App { id, signer, config, roots, mut limits } = app(env)?;
        set_broker_limits(&mut limits.broker, &self.limits.join(","))
            .map_err(|error| Error::usage(format!("--limits: {error}")))?;
        let builder = Channels::builder(id, signer)
            .limits(limits.broker.clone())
            .client_events(self.client_events)
            .subscription_counts(self.subscription_counts);
        let builder = config
            .allowed_origins
            .into_iter()
            .chain(self.allowed_origin.iter().cloned())
            .fold(builder, Builder::allowed_origin);
        let builder = config
            .trusted_proxies
            .into_iter()
            .chain(self.trusted_proxy.iter().copied())
            .fold(builder, Builder::trusted_proxy);
        let broker = webhooks::add(builder, config.webhooks, &self.webhook, &roots)?.build();
        open_files::raise_limit(&limits);
        let mut signals = Signals::listen()?;
        let bind_error = |error| Error::failed(format!("cannot listen on {}: {error}", self.listen));
        let listener = listen(self.listen).map_err(bind_error)?;
        let address = listener.local_addr().map_err(bind_error)?;
        let (running, ending) = oneshot::channel::<()>();
        let ending = ending.map(drop).shared();
        let failed = broker.failed();
        let serving = tokio::spawn(async move {
            let requests = serve(listener, broker_router(&broker), &limits, ending.clone());
            // Clients need not wait for a slow request.
            let clients = async {
                ending.await;
                broker.shutdown().await;
            };
            tokio::join!(requests, clients);
        });
        match self.print_address(&local_url(address), output) {
            // It serves even if nobody reads its output.
            Err(Error::OutputClosed) => {}
            printed => printed?,
        }
        let failed = tokio::select! {
            () = signals.next() => None,
            task = failed => Some(task),
        };
        drop(running);
        let served = signals.finish(serving, "stopped before every connection was closed").await?;
        served.map_err(|_| Error::failed("the broker failed"))?;
        match failed {
            Some(task) => Err(Error::failed(format!("the task `{task}` ended unexpectedly"))),
            None => Ok(()),
        }
    }

    fn print_address(&self, url: &str, output: &mut Output) -> Result<(), Error> {
        match self.json {
            true => output.json(&json!({"type": "listening", "url": url})),
            false => output.line(&format!("listening on {url}")),
        }
    }
}

struct App {
    id: String,
    signer: Signer,
    config: EmbeddedConfig,
    roots: Roots,
    limits: Limits,
}

/// Reads the app and the broker's settings as a server does.
fn app(env: &Env) -> Result<App, Error> {
    for (name, what) in CREDENTIALS {
        env.require(name, what)?;
    }
    let ours = |name: &str| SETTINGS.contains(&name) || CREDENTIALS.iter().any(|(ours, _)| *ours == name);
    let config = Config::from_env(|name| env.get(name).filter(|_| ours(name)))
        .map_err(|error| Error::usage(with_causes(&error)))?;
    match config.realtime {
        RealtimeConfig::Embedded(
            ref broker @ EmbeddedConfig {
                app_id: Some(ref id),
                app_key: Some(ref key),
                app_secret: Some(ref secret),
                ..
            },
        ) => Ok(App {
            id: id.clone(),
            signer: Signer::new(key, secret),
            config: broker.clone(),
            roots: config.roots,
            limits: config.limits,
        }),
        _ => Err(Error::usage("PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET are needed")),
    }
}
