use async_trait::async_trait;
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{InternalNotificationsService, OfflinePush, ServiceError};
use internal_notifications_testkit::{Device, Harness, Outcome, run_all, run_bullet};

use crate::mock::MockHarness;

/// A harness that cannot cut connections and skips some of the bullets that need it.
struct WithoutConnection(MockHarness);

#[async_trait]
impl Harness for WithoutConnection {
    async fn device(&self, user: &UserId) -> Device {
        Device::new(self.0.device(user).await.service().clone())
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

    fn skip(&self, bullet: u8) -> Option<&'static str> {
        matches!(bullet, 4 | 22..=25).then_some("there is no connection")
    }
}

#[tokio::test]
async fn a_skipped_bullet_has_a_reason_and_an_impossible_one_is_violated() {
    let report = run_all(&WithoutConnection(MockHarness::new(OfflinePush::Err))).await;
    let skipped = [4, 22, 23, 24, 25].map(|bullet| (bullet, "there is no connection"));
    assert_eq!(report.skipped(), skipped);
    let [violation] = report.violations() else { panic!("{report}") };
    assert_eq!(violation.bullet(), 26);
    assert!(violation.to_string().contains("no connection to cut"), "{violation}");
    assert!(report.to_string().ends_with("contract 4: skipped: there is no connection\ncontract 22: skipped: there is no connection\ncontract 23: skipped: there is no connection\ncontract 24: skipped: there is no connection\ncontract 25: skipped: there is no connection\n22 of 28 bullets passed"), "{report}");
}

#[tokio::test]
async fn a_bullet_that_is_skipped_is_not_run() {
    let harness = WithoutConnection(MockHarness::new(OfflinePush::Err));
    assert_eq!(run_bullet(22, &harness).await, Outcome::Skipped("there is no connection"));
    assert_eq!(run_bullet(9, &harness).await, Outcome::Passed);
    let ada = UserId::new("ada").unwrap();
    assert!(harness.device(&ada).await.service().init().await.is_ok());
}
