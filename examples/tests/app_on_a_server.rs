//! Tests of an app on a real server.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bell;

use bell::Environment;
use internal_notifications_testkit::server::TestServer;

async fn environment() -> impl Environment {
    TestServer::start().await.unwrap()
}
