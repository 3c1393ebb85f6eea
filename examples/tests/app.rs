//! The tests of an app, with the mock. `app_on_a_server.rs` has the same ones on a real server: one line is another.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bell;

use bell::{World, open};
use internal_notifications::{InternalNotification, MockHub};

/// Where the tests take place.
async fn world() -> impl World {
    MockHub::new()
}

// What only a mock can do: the connection is lost when the test says so, and nothing has to be waited for.
#[tokio::test]
async fn what_comes_while_offline_rings_when_the_connection_is_back() {
    let hub = MockHub::new();
    let bob = open(&hub, "bob").await;
    hub.cut();
    hub.push_as_backend("shop", ["bob"], InternalNotification::new("Welcome!")).unwrap();
    assert_eq!(bob.face(), "🔔");
    hub.mend();
    assert_eq!(bob.face(), "🔔 1");
}
