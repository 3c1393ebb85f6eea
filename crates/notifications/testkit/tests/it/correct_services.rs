use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{InternalNotificationsService, OfflinePush, ServiceError};
use internal_notifications_testkit::{BULLETS, Device, Harness, contract_tests, run_all};

use crate::mock::MockHarness;

contract_tests!(MockHarness::new(OfflinePush::Err));

mod with_pushes_that_wait {
    use super::*;

    contract_tests!(MockHarness::new(OfflinePush::Wait));
}

/// Wraps each service in the pointers that implement the trait.
struct Pointers(MockHarness);

#[async_trait]
impl Harness for Pointers {
    async fn device(&self, user: &UserId) -> Device {
        let boxed = |service| Box::new(service) as Box<dyn InternalNotificationsService>;
        self.0.device(user).await.map(|service| Arc::new(boxed(service)))
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        self.0.push(to, notification).await
    }

    fn window(&self) -> usize {
        self.0.window()
    }

    fn announcement_queue(&self) -> usize {
        self.0.announcement_queue()
    }

    fn write_queue(&self) -> usize {
        self.0.write_queue()
    }

    fn timeout(&self) -> Duration {
        self.0.timeout()
    }
}

#[tokio::test]
async fn every_bullet_passes_with_one_harness_and_through_pointers() {
    let report = run_all(&Pointers(MockHarness::new(OfflinePush::Err))).await;
    assert_eq!(report.violations(), [], "{report}");
    assert_eq!(report.passed(), BULLETS);
    assert_eq!(report.to_string(), "28 of 28 bullets passed");
}
