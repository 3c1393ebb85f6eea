//! Runs the contract tests on the facade: over a mock with an identity, a custom service, and none.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may")]

use internal_notifications::models::{InternalNotification, Receipt};
use internal_notifications::{
    Call, Credentials, InternalNotifications, InternalNotificationsBuilder, MockHub, MockService,
    ServiceError, ServiceErrorKind, ServiceKind, UserId, async_trait,
};
use internal_notifications_testkit::{Connection, Device, Harness};

const WINDOW: usize = 8;

struct Facade {
    hub: MockHub,
    kind: ServiceKind,
}

fn facade(kind: ServiceKind) -> Facade {
    Facade { hub: MockHub::new(), kind }
}

#[async_trait]
impl Harness for Facade {
    async fn device(&self, user: &UserId) -> Device {
        let builder = InternalNotifications::builder().service(self.kind).window(WINDOW);
        match self.kind {
            ServiceKind::None => {
                Device::new(InternalNotifications::builder().service(ServiceKind::None).build().unwrap())
            }
            ServiceKind::Custom => {
                let mock = self.hub.service_builder(user).window(WINDOW).build();
                device(builder.custom(mock.clone())).with_connection(MockConnection(mock))
            }
            _ => {
                let identity = Credentials::new(user.clone(), "token").unwrap();
                device(builder.hub(self.hub.clone()).identity(identity))
            }
        }
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.hub.push_as_backend("backend", to, notification)
    }

    fn window(&self) -> usize {
        WINDOW
    }

    fn has_inbox(&self) -> bool {
        self.kind != ServiceKind::None
    }

    fn skip(&self, bullet: u8) -> Option<&'static str> {
        let needs_connection = self.kind == ServiceKind::Mock && matches!(bullet, 4 | 22..=26);
        needs_connection
            .then_some("the facade does not expose the mock's connection; the custom service does")
    }
}

fn device(builder: InternalNotificationsBuilder) -> Device {
    Device::new(builder.build().unwrap())
}

struct MockConnection(MockService);

#[async_trait]
impl Connection for MockConnection {
    async fn cut(&self) {
        self.0.go_offline();
    }

    async fn mend(&self) {
        self.0.go_online();
    }

    async fn fail_init(&self) {
        for _ in 0..2 {
            self.0.fail_next(Call::Init, ServiceErrorKind::Unavailable);
        }
    }

    async fn refuse_next_write(&self) -> bool {
        self.0.refuse_next_queued_write(ServiceErrorKind::Conflict);
        true
    }
}

mod mock {
    use super::{ServiceKind, facade};

    internal_notifications_testkit::contract_tests!(facade(ServiceKind::Mock));
}

mod custom {
    use super::{ServiceKind, facade};

    internal_notifications_testkit::contract_tests!(facade(ServiceKind::Custom));
}

mod none {
    use super::{ServiceKind, facade};

    internal_notifications_testkit::contract_tests!(facade(ServiceKind::None));
}
