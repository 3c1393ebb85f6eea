//! The app comes back from sleep, or its network has changed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use internal_notifications_pusher::contract::{InternalNotificationsService, Status, Written};
use tokio::time::{Instant, sleep};

use crate::support::{Device, Fault, Server, soon};

/// The longest time that something takes which happens at once.
const AT_ONCE: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn wake_finds_what_was_missed_without_waiting_for_the_position_check() {
    let server = Server::new();
    let device = Device::live(&server).await;
    server.add_silently("ada", "a");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(device.service.snapshot().position.seq, 0);
    let before = Instant::now();
    device.service.wake().await.unwrap();
    device.until_seq(1).await;
    assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn wake_connects_and_sends_what_waits_without_regard_to_earlier_failures() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    for _ in 0..10 {
        device.cut(&server).await;
        let written = match device.service.snapshot().notifications[0].opened {
            false => device.service.mark_opened(&["a".parse().unwrap()]).await,
            true => device.service.mark_unopened(&["a".parse().unwrap()]).await,
        };
        assert_eq!(written, Ok(Written::Queued));
        // By now the waits are up to 10 s.
        sleep(Duration::from_secs(600)).await;
        device.mend(&server);
        let before = Instant::now();
        device.service.wake().await.unwrap();
        device.until_stored().await;
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn wake_replaces_a_dead_connection_after_one_pong_timeout() {
    for wakes in [false, true] {
        let server = Server::new();
        let device = Device::live(&server).await;
        device.network.freeze();
        let frozen = Instant::now();
        if wakes {
            device.service.wake().await.unwrap();
        }
        device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
        let noticed = frozen.elapsed().as_secs();
        assert_eq!(noticed <= 30, wakes, "{noticed} s");
        device.until_live().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_lost_an_event_is_pinged() {
    let server = Server::new();
    let device = Device::with(&server, |builder| builder.position_check(Duration::from_secs(20)));
    device.go_live().await;
    device.network.freeze();
    server.add("ada", "a");
    let frozen = Instant::now();
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    // The position check comes within 20 s, and the pong would within 30 s.
    assert!(frozen.elapsed() < Duration::from_secs(51), "{:?}", frozen.elapsed());
    device.until_seq(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_on_a_dead_connection_is_made_again() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    server.fail("/opened", Fault::Silence);
    let (ids, before) = (["a".parse().unwrap()], Instant::now());
    let (written, ()) = tokio::join!(device.service.mark_opened(&ids), async {
        sleep(Duration::from_secs(1)).await;
        device.service.wake().await.unwrap();
    });
    assert_eq!(written, Ok(Written::Stored));
    assert!(before.elapsed() < Duration::from_secs(1) + AT_ONCE, "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_jump_of_the_clock_wakes_the_service() {
    let server = Server::new();
    let wall = Arc::new(Mutex::new(SystemTime::UNIX_EPOCH));
    let read = Arc::clone(&wall);
    let device = Device::with(&server, |builder| builder.wall_clock(move || *read.lock().unwrap()));
    device.go_live().await;
    server.add_silently("ada", "a");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(device.service.snapshot().position.seq, 0);
    // The clock stood still for 600 s; after the sleep it is three minutes ahead of that.
    *wall.lock().unwrap() += Duration::from_secs(180);
    let before = Instant::now();
    device.until_seq(1).await;
    assert!(before.elapsed() <= Duration::from_secs(11), "{:?}", before.elapsed());
}

#[tokio::test(start_paused = true)]
async fn wake_and_subscribe_ask_for_a_token_at_once_after_a_failure() {
    for wakes in [false, true] {
        let server = Server::new();
        let device = Device::live(&server).await;
        let tokens = std::mem::take(&mut server.world().tokens);
        server.add_silently("ada", "a");
        server.add("ada", "b");
        device.until(|snapshot| matches!(snapshot.status, Status::Failed(_))).await;
        sleep(Duration::from_secs(3_000)).await;
        server.world().tokens = tokens;
        let before = Instant::now();
        match wakes {
            true => device.service.wake().await.unwrap(),
            false => device.service.subscribe().await.unwrap(),
        }
        device.until_seq(2).await;
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn wake_and_subscribe_try_a_rejected_channel_at_once() {
    for wakes in [false, true] {
        let server = Server::new();
        server.world().rejects_channels = true;
        let device = Device::new(&server);
        device.service.init().await.unwrap();
        device.until(|snapshot| matches!(snapshot.status, Status::Polling(_))).await;
        server.world().rejects_channels = false;
        let before = Instant::now();
        match wakes {
            true => device.service.wake().await.unwrap(),
            false => device.service.subscribe().await.unwrap(),
        }
        device.until_live().await;
        assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn wake_while_paused_sends_what_waits_and_nothing_else() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::live(&server).await;
    device.service.unsubscribe().await.unwrap();
    server.world().is_down = true;
    assert_eq!(device.service.mark_opened(&["a".parse().unwrap()]).await, Ok(Written::Queued));
    sleep(Duration::from_secs(600)).await;
    server.world().is_down = false;
    let reads = server.seen("/changes").len() + server.seen("/head").len();
    device.service.wake().await.unwrap();
    let before = Instant::now();
    soon(async {
        while server.world().logs["ada"].head().pending > 0 {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert!(before.elapsed() < AT_ONCE, "{:?}", before.elapsed());
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.seen("/changes").len() + server.seen("/head").len(), reads);
    assert_eq!(device.service.snapshot().status, Status::Paused);
}
