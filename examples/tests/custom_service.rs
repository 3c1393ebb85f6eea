//! Runs the contract tests on the custom service behind the facade, and tests what it adds.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use examples::custom_service::DoNotDisturb;
use futures_util::FutureExt;
use internal_notifications::{
    Announcement, InternalNotification, InternalNotifications, MockHub, MockService, Receipt, ServiceError,
    StreamExt, UserId, async_trait,
};
use internal_notifications_testkit::{Connection, Device, Harness};

internal_notifications_testkit::contract_tests!(MockHarness { hub: MockHub::new() });

struct MockHarness {
    hub: MockHub,
}

#[async_trait]
impl Harness for MockHarness {
    async fn device(&self, user: &UserId) -> Device {
        let service = self.hub.service(user);
        Device::new(wrapped(&service, &Arc::default())).with_connection(MockConnection { service })
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.hub.push_as_backend("test", to, notification)
    }

    fn window(&self) -> usize {
        200
    }
}

struct MockConnection {
    service: MockService,
}

#[async_trait]
impl Connection for MockConnection {
    async fn cut(&self) {
        self.service.go_offline();
    }

    async fn mend(&self) {
        self.service.go_online();
    }
}

fn wrapped(service: &MockService, is_muted: &Arc<AtomicBool>) -> InternalNotifications {
    let custom = DoNotDisturb { service: service.clone(), is_muted: Arc::clone(is_muted) };
    InternalNotifications::builder().custom(custom).build().unwrap()
}

#[tokio::test]
async fn while_muted_nothing_is_announced_and_the_count_stays_current() {
    let (hub, is_muted) = (MockHub::new(), Arc::default());
    let ada = wrapped(&hub.service("ada"), &is_muted);
    ada.init().await.unwrap();
    let mut announcements = ada.announcements();
    let push = |text| hub.push_as_backend("shop", ["ada"], InternalNotification::new(text)).unwrap();

    is_muted.store(true, Ordering::Relaxed);
    push("while muted");
    assert!(announcements.next().now_or_never().is_none());
    assert_eq!(ada.snapshot().pending, 1);

    is_muted.store(false, Ordering::Relaxed);
    push("afterwards");
    let Some(Announcement::Notification(new)) = announcements.next().await else {
        panic!("it should be announced")
    };
    assert_eq!((new.content.as_str(), ada.snapshot().pending), ("afterwards", 2));
}
