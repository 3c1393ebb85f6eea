//! `Webhook` as an axum extractor.

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::IntoResponse;
use pusher_signer::{Signer, Webhook, WebhookReceiver};

struct App {
    webhooks: WebhookReceiver,
}

impl FromRef<App> for WebhookReceiver {
    fn from_ref(app: &App) -> Self {
        app.webhooks.clone()
    }
}

/// Returns the status of the response; 200 if the webhook reaches the handler.
async fn status(content_type: &str, signed_with: &str, body: &str) -> u16 {
    let signature = Signer::new("app-key", signed_with).sign(body.as_bytes());
    let request = Request::builder()
        .header("Content-Type", content_type)
        .header("X-Pusher-Key", "app-key")
        .header("X-Pusher-Signature", signature)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let app = App { webhooks: WebhookReceiver::new(Signer::new("app-key", "app-secret")) };
    match Webhook::from_request(request, &app).await {
        Ok(webhook) => {
            assert_eq!(webhook.time_ms, 1);
            200
        }
        Err(rejection) => rejection.into_response().status().as_u16(),
    }
}

#[tokio::test]
async fn a_handler_receives_verified_webhooks_and_other_requests_get_their_status() {
    let good = r#"{"time_ms":1,"events":[]}"#;
    assert_eq!(status("application/json; charset=utf-8", "app-secret", good).await, 200);
    assert_eq!(status("text/plain", "app-secret", good).await, 415);
    assert_eq!(status("application/json", "other", good).await, 401);
    assert_eq!(status("application/json", "app-secret", "{}").await, 400);
    assert_eq!(status("application/json", "app-secret", &"x".repeat((2 << 20) + 1)).await, 413);
}
