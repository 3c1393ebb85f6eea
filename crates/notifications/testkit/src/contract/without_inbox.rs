//! The part of the contract that applies to a service without an inbox.

use futures_util::{StreamExt, future};
use internal_notifications_service::models::InternalNotification;
use internal_notifications_service::{ServiceErrorKind, Snapshot, Status, Written};

use crate::checked_device::{CheckedDevice, describe};
use crate::deadline::interrupted;
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

/// The bullets with a part that applies.
pub(crate) const BULLETS: [u8; 16] = [1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 15, 16, 19, 20, 27, 28];

pub(crate) async fn bullet(number: u8, scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let (laptop, unknown) = (scenario.device(&ada).await?, scenario.id("unknown")?);
    let (service, ids) = (laptop.service(), [unknown.clone()]);
    let mut reader = laptop.announcement_reader();
    if number == 1 {
        laptop.is_idle("before init")?;
        laptop.rejects_calls("before init", &bob, &unknown).await?;
        laptop.dispose().await?;
        laptop.is_idle("after dispose without init")?;
    }
    if number == 3 {
        let calls = future::try_join3(service.init(), service.init(), service.init());
        laptop.ok("three init at the same time", calls).await?;
    }
    laptop.init().await?;
    let first = initialized(&laptop, "when init has returned")?;
    let unchanged = |when: &str| {
        let now = laptop.now();
        ensure!(now == first, "{when} the snapshot is {}, it was {}", describe(&now), describe(&first));
        Ok(())
    };
    match number {
        3 => {
            laptop.init().await?;
            unchanged("after init of an initialized service")?;
        }
        5 => {
            for when in ["after dispose", "after a second dispose"] {
                laptop.dispose().await?;
                laptop.is_idle(when)?;
                laptop.rejects_calls(when, &bob, &unknown).await?;
            }
            return Ok(());
        }
        6 => {
            for _ in 0..2 {
                laptop.dispose().await?;
                reader = laptop.announcement_reader();
                laptop.init().await?;
                unchanged("after dispose and init")?;
            }
        }
        7 | 8 => {
            for _ in 0..2 {
                laptop.unsubscribe().await?;
                is_empty(&laptop.now(), "after unsubscribe")?;
            }
            for _ in 0..2 {
                laptop.subscribe().await?;
                unchanged("after subscribe")?;
            }
        }
        28 => {
            laptop.wake().await?;
            unchanged("after wake")?;
        }
        11 => {
            skipped("mark_opened", laptop.open(&[&unknown]).await?)?;
            skipped("mark_unopened", laptop.unopen(&[&unknown]).await?)?;
            unchanged("after marks of an unknown notification")?;
        }
        12 => {
            skipped("mark_all_opened", laptop.open_all().await?)?;
            unchanged("after mark_all_opened of an empty inbox")?;
        }
        13 => {
            laptop.fails("remove", ServiceErrorKind::Unknown, service.remove(&unknown)).await?;
            unchanged("after remove of an unknown notification")?;
        }
        15 => {
            laptop.load_older(5).await?;
            ensure!(!laptop.now().has_older, "has_older is true, but the inbox is empty");
        }
        16 => {
            let present = laptop.call("snapshots().next", service.snapshots().next()).await?;
            ensure!(present.as_ref() == Some(&first), "`snapshots` begins with {present:?}");
        }
        19 => return end_with_dispose(&laptop).await,
        20 => {
            let push = laptop.try_push(&[&bob], InternalNotification::new("for nobody"));
            let receipt = laptop.call("push", push).await?;
            ensure!(receipt.is_err(), "a push that is not stored succeeds: {receipt:?}");
            unchanged("after a push")?;
        }
        27 => {
            for polls in 1..=4 {
                let to = [bob.clone()];
                let unnamed = InternalNotification::new("for nobody");
                interrupted(scenario.timeout, polls, service.push(&to, unnamed)).await;
                interrupted(scenario.timeout, polls, service.mark_opened(&ids)).await;
                interrupted(scenario.timeout, polls, service.mark_all_opened()).await;
                interrupted(scenario.timeout, polls, service.remove(&unknown)).await;
                interrupted(scenario.timeout, polls, service.load_older(1)).await;
                interrupted(scenario.timeout, polls, service.unsubscribe()).await;
                interrupted(scenario.timeout, polls, service.subscribe()).await;
                laptop.subscribe().await?;
                unchanged("after dropped calls")?;
                interrupted(scenario.timeout, polls, service.dispose()).await;
                interrupted(scenario.timeout, polls, service.init()).await;
                laptop.dispose().await?;
                laptop.is_idle("after dropped calls and dispose")?;
                reader = laptop.announcement_reader();
                laptop.init().await?;
                unchanged("after dropped calls and init")?;
            }
        }
        _ => {}
    }
    reader.expect_none("though the service has no inbox")
}

async fn end_with_dispose(laptop: &CheckedDevice) -> CheckResult {
    let (mut reader, mut snapshots) = (laptop.announcement_reader(), laptop.service().snapshots());
    drop((laptop.service().snapshots(), laptop.service().announcements()));
    reader.expect_none("before dispose")?;
    laptop.dispose().await?;
    while let Some(now) = laptop.call("snapshots().next after dispose", snapshots.next()).await? {
        is_empty(&now, "after dispose")?;
    }
    match reader.next("announcements ended with dispose").await? {
        None => Ok(()),
        other => Err(Failure(format!(
            "after dispose `announcements` yields {}",
            crate::announcement_reader::describe(other.as_ref())
        ))),
    }
}

fn initialized(laptop: &CheckedDevice, when: &str) -> CheckResult<Snapshot> {
    let now = laptop.now();
    let started = !matches!(now.status, Status::Idle | Status::Starting);
    ensure!(started, "{when} the status is {:?}", now.status);
    is_empty(&now, when)?;
    Ok(now)
}

fn is_empty(now: &Snapshot, when: &str) -> CheckResult {
    let is_empty = now.notifications.is_empty() && now.pending == 0 && now.unconfirmed == 0 && !now.has_older;
    ensure!(is_empty, "{when} the snapshot is not empty: {}", describe(now));
    Ok(())
}

/// Checks that a mark of an unknown notification returns as stored.
fn skipped(name: &str, written: Written) -> CheckResult {
    ensure!(written == Written::Stored, "`{name}` of an empty inbox returns {written:?}");
    Ok(())
}
