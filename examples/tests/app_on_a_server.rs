//! The tests of an app on a real server.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bell;

use bell::World;
use internal_notifications_testkit::server::TestServer;

/// Where the tests take place.
async fn world() -> impl World {
    TestServer::start().await.unwrap()
}
