use std::error::Error;
use std::time::Duration;

use pusher_broker::{Broker, Limits, Webhook};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{APP_ID, signer};

/// Runs a broker with every feature on. Prints its address, and its webhooks instead of sending
/// them.
pub(crate) async fn run(address: &str) -> Result<(), Box<dyn Error>> {
    let mut limits = Limits::default();
    limits.webhook_grace = Duration::from_millis(50);
    let broker = Broker::builder(APP_ID, signer())
        .limits(limits)
        .client_events(true)
        .subscription_counts(true)
        .webhook(print)
        .build();
    let listener = TcpListener::bind(address).await?;
    println!("{}", json!({"listening": listener.local_addr()?.to_string()}));
    let router = broker.router();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut input = Vec::new();
    tokio::io::stdin().read_to_end(&mut input).await?;
    server.abort();
    broker.shutdown().await;
    Ok(())
}

async fn print(webhook: Webhook) -> Result<(), String> {
    let headers: serde_json::Map<_, _> = webhook
        .headers()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.into()))
        .collect();
    println!("{}", json!({"headers": headers, "body": webhook.body()}));
    Ok(())
}
