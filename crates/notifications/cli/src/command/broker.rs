mod webhooks;

use std::net::SocketAddr;

use clap::Args;
use internal_notifications_server::config::{EmbeddedConfig, RealtimeConfig};
use internal_notifications_server::{Config, Limits, local_url, serve};
use pusher_broker::Broker as Channels;
use pusher_signer::Signer;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::env::Env;
use crate::error::Error;
use crate::logs;
use crate::output::Output;
use crate::stop::Stop;

/// What it needs of the environment, and what each is.
const CREDENTIALS: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "the app's id"),
    ("PUSHER_APP_KEY", "the app's key"),
    ("PUSHER_APP_SECRET", "the app's secret"),
];

/// Run the Channels broker alone, until Ctrl-C or SIGTERM: an engine that several servers share, for development and tests
///
/// Its one app is that of PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET. Servers with the same three, and with PUSHER_HOST,
/// PUSHER_PORT and PUSHER_SCHEME=http for where it listens, publish through it. Logs go to stderr; RUST_LOG sets how much.
#[derive(Args)]
pub(crate) struct Broker {
    /// Where to listen, like 127.0.0.1:6001; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// Let clients send events to each other, on private and presence channels that both are subscribed to
    #[arg(long)]
    client_events: bool,
    /// Where to send webhooks of all kinds; may be given again for another place
    #[arg(long, value_name = "URL")]
    webhook: Vec<String>,
    /// Say where it listens as JSON
    #[arg(long)]
    json: bool,
}

impl Broker {
    pub(crate) async fn run(self, env: Env, output: &mut Output) -> Result<(), Error> {
        logs::start(&env, logs::OF_A_SERVER)?;
        let (app_id, signer) = app(&env)?;
        let builder = Channels::builder(app_id, signer).client_events(self.client_events);
        let broker = webhooks::add(builder, &self.webhook)?.build();
        let mut stop = Stop::listen()?;
        let unusable = |error| Error::failed(format!("cannot listen on {}: {error}", self.listen));
        let listener = TcpListener::bind(self.listen).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let (running, ending) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            serve(listener, broker.router(), &Limits::default(), async { drop(ending.await) }).await;
            broker.shutdown().await;
        });
        match self.tell(&local_url(address), output) {
            // A broker serves, whoever reads what it prints.
            Err(Error::Closed) => {}
            told => told?,
        }
        stop.asked().await;
        drop(running);
        stop.unless_asked_again(serving, "ended before every connection was closed")
            .await?
            .map_err(|_| Error::failed("the broker failed"))
    }

    fn tell(&self, url: &str, output: &mut Output) -> Result<(), Error> {
        match self.json {
            true => output.json(&json!({"type": "listening", "url": url})),
            false => output.line(&format!("listening on {url}")),
        }
    }
}

/// The app, read as a server reads it.
fn app(env: &Env) -> Result<(String, Signer), Error> {
    for (name, what) in CREDENTIALS {
        env.require(name, what)?;
    }
    let ours = |name: &str| CREDENTIALS.iter().any(|(ours, _)| *ours == name);
    let config = Config::from_env(|name| env.get(name).filter(|_| ours(name))).map_err(Error::usage)?;
    match config.realtime {
        RealtimeConfig::Embedded(EmbeddedConfig {
            app_id: Some(id),
            app_key: Some(key),
            app_secret: Some(secret),
            ..
        }) => Ok((id, Signer::new(key, &secret))),
        _ => Err(Error::usage("PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET are needed")),
    }
}
