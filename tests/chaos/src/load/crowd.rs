use crate::load::ledger::Ledger;
use crate::load::retrying_client::RetryingClient;
use black_box_support::Answer;
use internal_notifications_pusher::models::Timestamp;
use rand::RngExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The recipients of one push. Small, so that the pushes themselves delay nobody.
const RECIPIENTS: usize = 500;
/// How many pushes make a large expiry, and a large cancelled schedule.
const EXPIRING_PUSHES: usize = 10;
const CANCELLED_PUSHES: usize = 20;
/// After which time a notification expires.
const EXPIRY: Duration = Duration::from_secs(4);
/// How long to watch the others after the expiry or the retraction has begun.
const SETTLING: Duration = Duration::from_secs(1);

/// A backend with large announcements to everybody: the users of the run and a crowd of others.
pub(crate) struct Crowd {
    pub(crate) requests: RetryingClient,
    pub(crate) users: Arc<[String]>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Crowd {
    /// Pushes a notification to everybody that expires soon after, and waits until it has expired.
    pub(crate) async fn expire(&mut self) {
        let id = self.id("expiring");
        let (begun, expires_at) = (Instant::now(), Timestamp::now() + EXPIRY);
        let notification = json!({"id": id, "content": "expires", "expires_at": expires_at.to_string()});
        self.push_to_everybody(&notification, EXPIRING_PUSHES).await;
        sleep(EXPIRY.saturating_sub(begun.elapsed()) + SETTLING).await;
    }

    /// Schedules a notification for everybody, and retracts it.
    pub(crate) async fn cancel(&mut self) {
        let id = self.id("cancelled");
        let notification = json!({"id": id, "content": "cancelled", "send_after": "2100-01-01T00:00:00Z"});
        self.push_to_everybody(&notification, CANCELLED_PUSHES).await;
        let path = format!("/v1/notifications/{id}");
        let (answer, _) = self.requests.send("DELETE", &path, &Value::Null).await;
        // After a restore it may be unknown.
        self.expect(&[200, 404], &answer);
        sleep(SETTLING).await;
    }

    fn id(&mut self, kind: &str) -> String {
        format!("{kind}-{:016x}", self.requests.rng().random::<u64>())
    }

    /// Pushes to the users of the run first.
    async fn push_to_everybody(&mut self, notification: &Value, pushes: usize) {
        for push in 0..pushes {
            let mut users: Vec<String> =
                (0..RECIPIENTS).map(|number| format!("crowd-{}", push * RECIPIENTS + number)).collect();
            if push == 0 {
                users.extend(self.users.iter().cloned());
            }
            let body = json!({"user_ids": users, "notification": notification});
            let (answer, _) = self.requests.send("POST", "/v1/notifications", &body).await;
            // On a slow machine it may have expired before all of its pushes.
            self.expect(&[200, 201, 422], &answer);
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn expect(&self, statuses: &[u16], answer: &Answer) {
        if !statuses.contains(&answer.status) {
            self.ledger.record_unexpected(format!("a push to everybody: {answer:?}"));
        }
    }
}
