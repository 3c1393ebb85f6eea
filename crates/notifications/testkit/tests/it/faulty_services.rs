//! A correct service with one fault at a time, which the suite must find.

mod fault;
mod faulty_service;

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use internal_notifications_service::models::{InternalNotification, Receipt, UserId};
use internal_notifications_service::{OfflinePush, ServiceError};
use internal_notifications_testkit::{BULLETS, Device, Harness, Outcome, run_all, run_bullet};

use crate::mock::MockHarness;
use fault::Fault;
use faulty_service::FaultyService;

/// Each fault, and the bullet that must be violated.
const FAULTS: [(Fault, u8); 40] = [
    (Fault::AnswersBeforeInit, 1),
    (Fault::AnnouncesTheFirstSnapshot, 2),
    (Fault::StartsAgain, 3),
    (Fault::StaysStarting, 4),
    (Fault::RemembersAfterDispose, 5),
    (Fault::AnnouncesAgainAfterInit, 6),
    (Fault::GoesOnListening, 7),
    (Fault::DropsOneAfterSubscribe, 8),
    (Fault::CountsOneMore, 9),
    (Fault::CallsDuplicatesAccepted, 10),
    (Fault::IgnoresUnopened, 11),
    (Fault::OpensTheListAlone, 12),
    (Fault::RemovesWhatIsNotThere, 13),
    (Fault::IgnoresOtherDevices, 14),
    (Fault::LoadsNothing, 15),
    (Fault::SkipsThePresent, 16),
    (Fault::YieldsEverySnapshot, 16),
    (Fault::DropsAnAnnouncement, 17),
    (Fault::AnnouncesTwice, 17),
    (Fault::HidesThatItSkipped, 18),
    (Fault::NeverEnds, 19),
    (Fault::AnnouncesAfterDispose, 19),
    (Fault::CountsARecipientTwice, 20),
    (Fault::CallsTheInvalidUnavailable, 21),
    (Fault::LooksLiveWhileOffline, 22),
    (Fault::CallsTheQueuedStored, 23),
    (Fault::RollsBackInSilence, 24),
    (Fault::DropsTheWriteTooMany, 25),
    (Fault::SwallowsPushes, 26),
    (Fault::PushesAnewWhenRepeated, 27),
    (Fault::KeepsWritesOverDispose, 5),
    (Fault::OpensTheUnseen, 23),
    (Fault::WaitsForEver, 26),
    (Fault::StoresAWaitingPushLater, 26),
    (Fault::RepeatsADroppedPush, 27),
    (Fault::AnnouncesAfterADroppedDispose, 27),
    (Fault::ShowsAfterADroppedDispose, 27),
    (Fault::ResumesWhenWoken, 28),
    (Fault::AnnouncesAgainWhenWoken, 28),
    (Fault::WakesBeforeInit, 1),
];

struct FaultyHarness {
    inner: MockHarness,
    fault: Fault,
}

impl FaultyHarness {
    fn new(fault: Fault) -> Self {
        let offline_push = match fault {
            Fault::WaitsForEver | Fault::StoresAWaitingPushLater => OfflinePush::Wait,
            _ => OfflinePush::Err,
        };
        Self { inner: MockHarness::new(offline_push), fault }
    }
}

#[async_trait]
impl Harness for FaultyHarness {
    async fn device(&self, user: &UserId) -> Device {
        self.inner.device(user).await.map(|service| FaultyService::new(service, self.fault))
    }

    async fn push(&self, to: &[UserId], notification: InternalNotification) -> Result<Receipt, ServiceError> {
        let mut receipt = self.inner.push(to, notification).await?;
        if self.fault == Fault::CallsDuplicatesAccepted {
            receipt.accepted += std::mem::take(&mut receipt.duplicates);
        }
        Ok(receipt)
    }

    fn offline_push(&self) -> OfflinePush {
        self.inner.offline_push()
    }

    fn window(&self) -> usize {
        self.inner.window()
    }

    fn announcement_queue(&self) -> usize {
        self.inner.announcement_queue()
    }

    fn write_queue(&self) -> usize {
        self.inner.write_queue()
    }

    fn timeout(&self) -> Duration {
        match self.fault {
            Fault::None => self.inner.timeout(),
            _ => Duration::from_secs(1),
        }
    }
}

#[tokio::test]
async fn each_fault_violates_its_bullet() {
    let tried = FAULTS.map(|(fault, bullet)| async move {
        match run_bullet(bullet, &FaultyHarness::new(fault)).await {
            Outcome::Violated(violation) => {
                assert_eq!(violation.bullet(), bullet);
                let message = violation.to_string();
                assert!(message.starts_with(&format!("contract {bullet}: ")), "{message}");
                format!("{fault:?}: {message}")
            }
            outcome => panic!("{fault:?} does not violate bullet {bullet}: {outcome:?}"),
        }
    });
    join_all(tried).await.iter().for_each(|message| println!("{message}"));
}

#[test]
fn every_bullet_is_violated_by_a_fault() {
    let violated: Vec<u8> = FAULTS.iter().map(|(_, bullet)| *bullet).collect();
    let missing: Vec<_> = BULLETS.iter().filter(|bullet| !violated.contains(bullet)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn without_a_fault_no_bullet_is_violated() {
    let report = run_all(&FaultyHarness::new(Fault::None)).await;
    assert_eq!(report.violations(), [], "{report}");
}

#[tokio::test]
async fn a_report_names_each_bullet_that_is_violated() {
    let report = run_all(&FaultyHarness::new(Fault::RemembersAfterDispose)).await;
    let bullets: Vec<u8> = report.violations().iter().map(|violation| violation.bullet()).collect();
    assert!(bullets.contains(&5), "{report}");
    assert_eq!(report.passed().len() + bullets.len(), BULLETS.len());
    let first = report.violations()[0].to_string();
    assert!(report.to_string().starts_with(&format!("{first}\n")), "{report}");
}

/// Claims that the service has no inbox, and never pushes.
struct WithoutInbox(FaultyHarness);

#[async_trait]
impl Harness for WithoutInbox {
    async fn device(&self, user: &UserId) -> Device {
        Device::new(self.0.device(user).await.service().clone())
    }

    async fn push(&self, _to: &[UserId], _: InternalNotification) -> Result<Receipt, ServiceError> {
        panic!("a service without an inbox gets no push")
    }

    fn has_inbox(&self) -> bool {
        false
    }

    fn timeout(&self) -> Duration {
        self.0.timeout()
    }
}

#[tokio::test]
async fn a_service_without_an_inbox_is_tested_without_a_push() {
    let report = run_all(&WithoutInbox(FaultyHarness::new(Fault::None))).await;
    let skipped: Vec<u8> = report.skipped().iter().map(|(bullet, _)| *bullet).collect();
    assert_eq!(skipped, [4, 9, 10, 14, 17, 18, 21, 22, 23, 24, 25, 26], "{report}");
    let violated: Vec<u8> = report.violations().iter().map(|violation| violation.bullet()).collect();
    assert_eq!(violated, [20], "only its push is stored: {report}");
}

#[tokio::test]
async fn a_faulty_service_without_an_inbox_violates_its_bullet() {
    for (fault, bullet) in [
        (Fault::AnswersBeforeInit, 1),
        (Fault::RemembersAfterDispose, 5),
        (Fault::RemovesWhatIsNotThere, 13),
        (Fault::SkipsThePresent, 16),
        (Fault::NeverEnds, 19),
        (Fault::RemembersAfterDispose, 27),
    ] {
        let outcome = run_bullet(bullet, &WithoutInbox(FaultyHarness::new(fault))).await;
        assert!(
            matches!(outcome, Outcome::Violated(_)),
            "{fault:?} does not violate bullet {bullet}: {outcome:?}"
        );
    }
}

/// Panics in every method.
struct Panics;

#[async_trait]
impl Harness for Panics {
    async fn device(&self, _user: &UserId) -> Device {
        panic!("there is no device")
    }

    async fn push(&self, _to: &[UserId], _: InternalNotification) -> Result<Receipt, ServiceError> {
        panic!("there is no server")
    }
}

#[tokio::test]
async fn a_panic_violates_the_bullet() {
    let Outcome::Violated(violation) = run_bullet(9, &Panics).await else { panic!("it holds") };
    assert_eq!(violation.to_string(), "contract 9: it panicked: there is no device");
    let Outcome::Violated(violation) = run_bullet(29, &Panics).await else { panic!("it holds") };
    assert_eq!(violation.to_string(), "contract 29: there is no such bullet");
}
