use pusher_broker::{Broker, Limits, Webhook};
use pusher_signer::{ReceivedWebhook, WebhookEvent, WebhookReceiver};
use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

use crate::engine::{APP_ID, signer};

struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts the broker in this process, and returns its port. Its webhook events go to `sender`.
pub(crate) async fn start(sender: UnboundedSender<WebhookEvent>) -> (u16, Box<dyn Send>) {
    let mut limits = Limits::default();
    limits.webhook_grace = std::time::Duration::from_millis(50);
    let broker = Broker::builder(APP_ID, signer())
        .limits(limits)
        .client_events(true)
        .subscription_counts(true)
        .webhook(move |webhook| std::future::ready(receive(&webhook, &sender)))
        .build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move { axum::serve(listener, broker.router()).await.unwrap() });
    (port, Box::new(Running(server)))
}

fn receive(webhook: &Webhook, sender: &UnboundedSender<WebhookEvent>) -> Result<(), String> {
    let [content_type, key, signature] = webhook.headers().map(|(_, value)| Some(value));
    let received = ReceivedWebhook::new(webhook.body().as_bytes())
        .with_content_type(content_type)
        .with_key(key)
        .with_signature(signature);
    let webhook = WebhookReceiver::new(signer()).receive(&received, 0).map_err(|why| why.to_string())?;
    webhook.events.into_iter().for_each(|event| drop(sender.send(event)));
    Ok(())
}
