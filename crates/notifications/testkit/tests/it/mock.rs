use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_mock::{MockHub, MockService};
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{OfflinePush, ServiceError, ServiceErrorKind};
use internal_notifications_testkit::{Connection, Device, Harness};

/// Creates services of a mock's hub.
pub(crate) struct MockHarness {
    hub: MockHub,
    offline_push: OfflinePush,
}

struct MockConnection(MockService);

impl MockHarness {
    pub(crate) fn new(offline_push: OfflinePush) -> Self {
        Self { hub: MockHub::new(), offline_push }
    }
}

#[async_trait]
impl Harness for MockHarness {
    async fn device(&self, user: &UserId) -> Device {
        let service = self
            .hub
            .service_builder(user)
            .window(self.window())
            .announcement_queue(self.announcement_queue())
            .write_queue(self.write_queue())
            .offline_push(self.offline_push)
            .build();
        Device::new(service.clone()).with_connection(MockConnection(service))
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.hub.push_as_backend("test", to, notification)
    }

    fn offline_push(&self) -> OfflinePush {
        self.offline_push
    }

    fn window(&self) -> usize {
        8
    }

    fn announcement_queue(&self) -> usize {
        16
    }

    fn write_queue(&self) -> usize {
        9
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(5)
    }
}

#[async_trait]
impl Connection for MockConnection {
    async fn cut(&self) {
        self.0.go_offline();
    }

    async fn mend(&self) {
        self.0.go_online();
    }

    async fn refuse_next_write(&self) -> bool {
        self.0.refuse_next_queued_write(ServiceErrorKind::Conflict);
        true
    }
}
