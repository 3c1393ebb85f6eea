//! A task that dies leaves no status that lies, and no stream that hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use internal_notifications_pusher::contract::{
    InternalNotificationsService, ServiceError, ServiceErrorKind, Status,
};
use internal_notifications_pusher::{Credentials, Identity};
use tokio::runtime::Runtime;

use crate::support::{Device, Server, soon};

#[test]
fn the_end_of_the_runtime_is_a_failure_and_ends_the_streams() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::new(&server);
    let first = Runtime::new().unwrap();
    first.block_on(device.go_live());
    let (mut snapshots, mut announcements) = (device.service.snapshots(), device.service.announcements());
    let mut updates = device.service.updates();
    drop(first);

    Runtime::new().unwrap().block_on(async {
        let failed = device.service.snapshot();
        let Status::Failed(error) = &failed.status else { panic!("{failed:?}") };
        assert_eq!(error.kind(), ServiceErrorKind::NotInitialized);
        assert_eq!(failed.notifications.len(), 1);
        let mut last = None;
        while let Some(snapshot) = soon(snapshots.next()).await {
            last = Some(snapshot);
        }
        assert_eq!(last, Some(failed));
        while soon(announcements.next()).await.is_some() {}
        while soon(updates.next()).await.is_some() {}
        let written = device.service.mark_opened(&["a".parse().unwrap()]).await;
        assert_eq!(written.unwrap_err().kind(), ServiceErrorKind::NotInitialized);

        device.go_live().await;
        let mut snapshots = device.service.snapshots();
        device.service.dispose().await;
        assert_eq!(device.service.snapshot().status, Status::Idle);
        while soon(snapshots.next()).await.is_some() {}
    });
}

#[test]
fn dispose_after_the_end_of_the_runtime_forgets_the_user() {
    let server = Server::new();
    server.add("ada", "a");
    let device = Device::new(&server);
    let first = Runtime::new().unwrap();
    first.block_on(device.go_live());
    drop(first);
    Runtime::new().unwrap().block_on(device.service.dispose());
    let now = device.service.snapshot();
    assert_eq!((now.notifications.len(), now.status), (0, Status::Idle));
}

#[test]
fn the_end_of_the_runtime_during_init_is_a_failure() {
    let server = Server::new();
    server.fail("/realtime", crate::support::Fault::Silence);
    let device = Device::new(&server);
    let first = Runtime::new().unwrap();
    let service = device.service.clone();
    let init = first.spawn(async move { service.init().await });
    first.block_on(device.until(|snapshot| snapshot.status == Status::Starting));
    drop((init, first));
    assert!(matches!(device.service.snapshot().status, Status::Failed(_)));
    Runtime::new().unwrap().block_on(device.go_live());
}

/// Panics while it is broken.
struct Fragile(Arc<AtomicBool>);

#[async_trait::async_trait]
impl Identity for Fragile {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        assert!(!self.0.load(Ordering::SeqCst), "the identity has a bug");
        Credentials::new("ada".parse()?, "ada-token")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_identity_is_a_failure_until_it_works_again() {
    let server = Server::new();
    let is_broken = Arc::new(AtomicBool::new(true));
    let device = Device::with_identity(&server, Fragile(Arc::clone(&is_broken)));
    assert_eq!(device.service.init().await.unwrap_err().kind(), ServiceErrorKind::Configuration);
    assert_eq!(device.service.snapshot().status, Status::Idle);
    is_broken.store(false, Ordering::SeqCst);
    device.go_live().await;

    is_broken.store(true, Ordering::SeqCst);
    server.add_silently("ada", "a");
    server.add("ada", "b");
    let failed = device.until(|snapshot| matches!(snapshot.status, Status::Failed(_))).await;
    assert!(failed.status.error().unwrap().to_string().contains("panicked"), "{failed:?}");
    is_broken.store(false, Ordering::SeqCst);
    device.until_seq(2).await;
}
