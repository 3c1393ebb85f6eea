//! Runs the contract tests on the mock.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may")]

use async_trait::async_trait;
use internal_notifications_mock::models::{InternalNotification, Receipt, UserId};
use internal_notifications_mock::{MockHub, MockService, OfflinePush};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use internal_notifications_testkit::{Connection, Device, Harness};

struct Mock {
    hub: MockHub,
    offline_push: OfflinePush,
}

struct MockConnection(MockService);

fn mock(offline_push: OfflinePush) -> Mock {
    Mock { hub: MockHub::new(), offline_push }
}

#[async_trait]
impl Harness for Mock {
    async fn device(&self, user: &UserId) -> Device {
        let builder = self.hub.service_builder(user).window(self.window());
        let builder = builder.announcement_queue(self.announcement_queue()).offline_push(self.offline_push);
        let service = builder.build();
        Device::new(service.clone()).with_connection(MockConnection(service))
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.hub.push_as_backend("backend", to, notification)
    }

    fn offline_push(&self) -> OfflinePush {
        self.offline_push
    }

    fn window(&self) -> usize {
        8
    }

    fn announcement_queue(&self) -> usize {
        8
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

mod failing_push {
    use super::{OfflinePush, mock};

    internal_notifications_testkit::contract_tests!(mock(OfflinePush::Err));
}

mod waiting_push {
    use super::{OfflinePush, mock};

    internal_notifications_testkit::contract_tests!(mock(OfflinePush::Wait));
}
