//! What the status says, and why.

use std::error::Error;
use std::time::Duration;

use internal_notifications_pusher::HttpResponse;
use internal_notifications_pusher::contract::{
    InternalNotificationsService, ServiceErrorKind, Status, with_causes,
};

use crate::support::{Device, Fault, Server};

#[tokio::test(start_paused = true)]
async fn before_the_first_subscription_the_service_is_connecting() {
    let server = Server::new();
    let device = Device::new(&server);
    server.fail("/pusher/auth", Fault::Silence);
    device.service.init().await.unwrap();
    assert_eq!(device.service.snapshot().status, Status::Connecting);
    device.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn offline_has_the_reason_also_before_the_first_connection() {
    let server = Server::new();
    let device = Device::new(&server);
    device.network.cut(true);
    device.service.init().await.unwrap();
    let offline = device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    let error = offline.status.error().unwrap();
    assert_eq!(error.kind(), ServiceErrorKind::Unavailable);
    assert!(error.source().is_some() && with_causes(error).contains("refused"), "{error:?}");
    device.network.cut(false);
    device.until_live().await;
    device.network.cut(true);
    device.until(|snapshot| matches!(&snapshot.status, Status::Offline(error) if with_causes(error).contains("refused"))).await;
}

#[tokio::test(start_paused = true)]
async fn an_auth_endpoint_behind_a_proxy_is_a_reason_to_be_offline_and_no_refusal() {
    let server = Server::new();
    let device = Device::new(&server);
    (0..20).for_each(|_| server.fail("/pusher/auth", Fault::foreign(403)));
    device.service.init().await.unwrap();
    let offline = device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    assert!(with_causes(offline.status.error().unwrap()).contains("403"), "{offline:?}");
    device.until_live().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_is_a_reason_to_be_offline() {
    let server = Server::new();
    let device = Device::live(&server).await;
    (0..20).for_each(|_| server.fail("/changes", Fault::foreign(503)));
    server.add_silently("ada", "a");
    server.add("ada", "b");
    let offline = device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    assert!(offline.status.error().unwrap().to_string().contains("503"), "{offline:?}");
    device.until_seq(2).await;

    server.world().rejects_channels = true;
    device.network.cut(false);
    device.until(|snapshot| matches!(snapshot.status, Status::Polling(_))).await;
    server.world().is_down = true;
    device.service.wake().await.unwrap();
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    server.world().is_down = false;
    device.service.wake().await.unwrap();
    device.until(|snapshot| matches!(snapshot.status, Status::Polling(_))).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_channel_is_polled_and_a_refused_token_is_a_failure() {
    let server = Server::new();
    server.world().rejects_channels = true;
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(60)));
    device.service.init().await.unwrap();
    let polling = device.until(|snapshot| matches!(snapshot.status, Status::Polling(_))).await;
    assert_eq!(polling.status.error().unwrap().kind(), ServiceErrorKind::Forbidden);
    server.world().tokens.clear();
    let failed = device.until(|snapshot| matches!(snapshot.status, Status::Failed(_))).await;
    assert_eq!(failed.status.error().unwrap().kind(), ServiceErrorKind::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_a_refused_write_was_asked_for_is_shown_by_a_service_that_cannot_catch_up() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    let busy = HttpResponse::new(503, "").with_retry_after(Duration::from_secs(120));
    server.fail("/opened", Fault::Response(busy));
    device.service.mark_opened(&["a".parse().unwrap()]).await.unwrap();
    server.add_silently("ada", "b");
    server.add("ada", "c");
    let offline = device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    assert!(offline.status.error().unwrap().to_string().contains("503"), "{offline:?}");
    device.until_stored().await;
}
