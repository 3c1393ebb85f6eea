//! The service through the contract, behind the facade; and what it is for.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use examples::custom_service::DoNotDisturb;
use futures_util::{FutureExt, StreamExt};
use internal_notifications::models::{InternalNotification, Receipt};
use internal_notifications::{
    Announcement, InternalNotifications, InternalNotificationsService, MockHub, MockService, ServiceError,
    UserId, async_trait,
};
use internal_notifications_testkit::{Connection, Device, Harness};

internal_notifications_testkit::contract_tests!(Hub(MockHub::new()));

struct Hub(MockHub);

#[async_trait]
impl Harness for Hub {
    async fn device(&self, user: &UserId) -> Device {
        let inside = self.0.service(user);
        Device::new(wrapped(&inside, &Arc::default())).with_connection(Line(inside))
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.0.push_as_backend("test", to, notification)
    }

    fn window(&self) -> usize {
        200
    }
}

struct Line(MockService);

#[async_trait]
impl Connection for Line {
    async fn cut(&self) {
        self.0.go_offline();
    }

    async fn mend(&self) {
        self.0.go_online();
    }
}

fn wrapped(inside: &MockService, quiet: &Arc<AtomicBool>) -> InternalNotifications {
    let custom = DoNotDisturb(Arc::new(inside.clone()), quiet.clone());
    InternalNotifications::builder().custom(Arc::new(custom)).build().unwrap()
}

#[tokio::test]
async fn who_wants_quiet_is_told_nothing_and_misses_nothing() {
    let (hub, quiet) = (MockHub::new(), Arc::default());
    let ada = wrapped(&hub.service("ada"), &quiet);
    ada.init().await.unwrap();
    let mut told = ada.announcements();
    let push = |text| hub.push_as_backend("shop", ["ada"], InternalNotification::new(text)).unwrap();

    quiet.store(true, Ordering::Relaxed);
    push("while quiet");
    assert!(told.next().now_or_never().is_none());
    assert_eq!(ada.snapshot().pending, 1);

    quiet.store(false, Ordering::Relaxed);
    push("after it");
    let Some(Announcement::Notification(new)) = told.next().await else { panic!("it is told") };
    assert_eq!((new.content.as_str(), ada.snapshot().pending), ("after it", 2));
}
