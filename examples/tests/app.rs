//! Tests of an app with the mock. `app_on_a_server.rs` runs the same tests on a real server; the
//! two files differ in one line.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bell;

use bell::{Environment, start};
use internal_notifications::{InternalNotification, MockHub};

async fn environment() -> impl Environment {
    MockHub::new()
}

// Only a mock can do this: it cuts the connection at once, and nothing has to be waited for.
#[tokio::test]
async fn a_notification_missed_while_offline_rings_after_reconnecting() {
    let hub = MockHub::new();
    let bob = start(&hub, "bob").await;
    hub.cut();
    hub.push_as_backend("shop", ["bob"], InternalNotification::new("Welcome!")).unwrap();
    assert_eq!(bob.face(), "🔔");
    hub.mend();
    assert_eq!(bob.face(), "🔔 1");
}
