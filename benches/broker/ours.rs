use std::process::ExitCode;
use std::sync::Arc;

use axum::serve::ListenerExt;
use black_box_support::Http;
use internal_notifications_server::listen;
use pusher_broker::{Broker, Limits, Webhook};
use tokio::sync::Mutex;

use crate::arguments::Arguments;
use crate::peers::{APP_ID, signer};
use crate::process::address;
use crate::size::{EVENT_DATA, WEBHOOKS};

/// Runs the broker as its README does.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut limits = Limits::default();
        if let Some(bytes) = arguments.value(EVENT_DATA) {
            limits.event_data = bytes.parse().unwrap();
        }
        let mut builder = Broker::builder(APP_ID, signer()).client_events(true).limits(limits);
        if let Some(receiver) = arguments.value(WEBHOOKS) {
            let http = Arc::new(Mutex::new(vec![Http::to(receiver.parse().unwrap())]));
            let receiver = receiver.parse().unwrap();
            builder = builder.webhook(move |webhook| {
                let http = http.clone();
                async move {
                    let mut client = http.lock().await.pop().unwrap_or_else(|| Http::to(receiver));
                    let sent = send(&mut client, &webhook).await;
                    http.lock().await.push(client);
                    sent
                }
            });
        }
        let listener = listen(address()).unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, builder.build().router()).await.unwrap();
    });
    ExitCode::SUCCESS
}

async fn send(client: &mut Http, webhook: &Webhook) -> Result<(), String> {
    let request = webhook
        .headers()
        .into_iter()
        .fold(axum::http::Request::post("/").header("host", "localhost"), |request, (name, value)| {
            request.header(name, value)
        })
        .body(webhook.body().to_owned().into())
        .unwrap();
    match client.send(request).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        Ok(answer) => Err(answer.status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
