use std::time::Duration;

use internal_notifications_pusher::contract::Status;

use crate::support::{Device, Fault, Server, soon};

const USER_AUTH: &str = "/pusher/user-auth";

/// Waits until a connection is signed in as ada, and closes it through the API.
async fn until_closed_by_user(server: &Server) {
    soon(async {
        while server.broker.terminate_connections("ada") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn each_connection_is_signed_in_and_a_closed_one_reconnects() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.go_live().await;
    device.network.cut(false);
    device.until(|snapshot| snapshot.status != Status::Live).await;
    device.until_live().await;
    for _ in 0..2 {
        until_closed_by_user(&server).await;
        device.until(|snapshot| snapshot.status != Status::Live).await;
        server.add_silently("ada", &server.seen("").len().to_string());
        device.until_live().await;
    }
    device.until_seq(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_sign_in_does_not_affect_the_inbox() {
    for (fault, is_retried) in [
        (Fault::refusal(404), false),
        (Fault::refusal(403), false),
        (Fault::foreign(401), false),
        (Fault::foreign(404), true),
        (Fault::foreign(200), true),
        (Fault::foreign(503), true),
        (Fault::Unreachable, true),
        (Fault::Silence, true),
    ] {
        let server = Server::new();
        server.fail(USER_AUTH, fault);
        let device = Device::live(&server).await;
        server.add("ada", "a");
        device.until_seq(1).await;
        tokio::time::sleep(Duration::from_secs(300)).await;
        device.network.cut(false);
        device.until(|snapshot| snapshot.status != Status::Live).await;
        device.until_live().await;
        server.add("ada", "b");
        assert_eq!(device.until_seq(2).await.status, Status::Live);
        tokio::time::sleep(Duration::from_secs(300)).await;
        assert_eq!(server.seen(USER_AUTH).len() > 1, is_retried);
        assert_eq!(server.broker.terminate_connections("ada"), usize::from(is_retried));
    }
}

#[tokio::test(start_paused = true)]
async fn with_another_auth_endpoint_the_connection_is_not_signed_in() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.auth_endpoint("http://backend.test/pusher/auth"));
    device.go_live().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.seen(USER_AUTH).len(), 0);
    assert_eq!(server.broker.terminate_connections("ada"), 0);
}
