use futures_util::StreamExt;
use internal_notifications_service::models::{InternalNotification, NotificationId, UserId};
use internal_notifications_service::{Announcement, ServiceErrorKind, Snapshot, Status};

use crate::announcement_reader;
use crate::checked_device::{CheckedDevice, describe, opened};
use crate::deadline::interrupted;
use crate::scenario::{Scenario, notification};
use crate::violation::{CheckResult, Failure, ensure};

/// A call is dropped after its first poll, after its second, and so on.
const POLLS: std::ops::RangeInclusive<usize> = 1..=4;

pub(crate) async fn bullet_27_a_dropped_call_happens_once_or_not_at_all(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let laptop = scenario.device(&ada).await?;
    for polls in POLLS {
        interrupted(scenario.timeout, polls, laptop.service().init()).await;
    }
    laptop.init().await?;
    laptop.until("it is live after init", |now| now.status == Status::Live).await?;
    pushes(scenario, &laptop, &bob).await?;
    pushes_without_an_id(scenario, &laptop).await?;
    let kept = writes(scenario, &laptop, &ada).await?;
    let kept: Vec<_> = kept.iter().rev().collect();
    lifecycle(scenario, &laptop, &ada, &kept).await
}

async fn pushes(scenario: &Scenario<'_>, laptop: &CheckedDevice, bob: &UserId) -> CheckResult {
    let bobs = scenario.live(bob).await?;
    let mut reader = bobs.announcement_reader();
    let mut ids = Vec::new();
    for polls in POLLS {
        let id = scenario.id(&format!("push{polls}"))?;
        interrupted(scenario.timeout, polls, laptop.try_push(&[bob], notification(&id))).await;
        let receipt = laptop.push(&[bob], &id).await?;
        let stored = receipt.accepted + receipt.duplicates;
        ensure!(stored == 1, "a push that is repeated after its first future was dropped: {receipt:?}");
        ids.push(id);
    }
    let fence = scenario.push(&[bob], "fence").await?;
    ids.push(fence);
    let newest: Vec<_> = ids.iter().rev().collect();
    bobs.shows(&newest, ids.len() as u64).await?;
    reader.expect(&ids.iter().collect::<Vec<_>>()).await
}

/// Nobody can repeat these: each arrives once, or not at all.
async fn pushes_without_an_id(scenario: &Scenario<'_>, laptop: &CheckedDevice) -> CheckResult {
    let carol = scenario.user("carol")?;
    let carols = scenario.live(&carol).await?;
    let mut reader = carols.announcement_reader();
    let mut heard: Vec<String> = Vec::new();
    for polls in POLLS {
        let unnamed = InternalNotification::new(format!("without an id {polls}"));
        interrupted(scenario.timeout, polls, laptop.try_push(&[&carol], unnamed)).await;
        let fence = scenario.id(&format!("fence{polls}"))?;
        laptop.push(&[&carol], &fence).await?;
        loop {
            match reader.next("a push was announced that follows one whose future was dropped").await? {
                Some(Announcement::Notification(row)) if row.id == fence => break,
                Some(Announcement::Notification(row)) => {
                    let content = &row.content;
                    ensure!(
                        !heard.contains(content),
                        "a push whose future was dropped is stored twice: {content}"
                    );
                    heard.push(content.clone());
                }
                other => {
                    return Err(Failure(format!(
                        "{} was announced",
                        announcement_reader::describe(other.as_ref())
                    )));
                }
            }
        }
    }
    Ok(())
}

/// Interrupts writes; gives the notifications that are left, all opened.
async fn writes(
    scenario: &Scenario<'_>,
    laptop: &CheckedDevice,
    ada: &UserId,
) -> CheckResult<Vec<NotificationId>> {
    let mut kept = Vec::new();
    for polls in POLLS {
        let id = scenario.push(&[ada], &format!("kept{polls}")).await?;
        let gone = scenario.push(&[ada], &format!("gone{polls}")).await?;
        kept.push(id.clone());
        laptop.until("it has them", |now| opened(now, &gone) == Some(false)).await?;
        let (service, ids) = (laptop.service(), [id]);
        interrupted(scenario.timeout, polls, service.mark_opened(&ids)).await;
        laptop.ok("mark_opened after one that was dropped", service.mark_opened(&ids)).await?;
        interrupted(scenario.timeout, polls, service.mark_all_opened()).await;
        laptop.ok("mark_all_opened after one that was dropped", service.mark_all_opened()).await?;
        interrupted(scenario.timeout, polls, service.remove(&gone)).await;
        match laptop.call("remove after one that was dropped", service.remove(&gone)).await? {
            Ok(_) => {}
            Err(error) if error.kind() == ServiceErrorKind::Unknown => {}
            Err(error) => {
                let kind = error.kind();
                return Err(Failure(format!(
                    "a remove after one that was dropped errs with {kind:?}: {error}"
                )));
            }
        }
    }
    let newest: Vec<_> = kept.iter().rev().collect();
    let phone = scenario.live(ada).await?;
    for device in [laptop, &phone] {
        device.shows(&newest, 0).await?;
    }
    Ok(kept)
}

async fn lifecycle(
    scenario: &Scenario<'_>,
    laptop: &CheckedDevice,
    ada: &UserId,
    kept: &[&NotificationId],
) -> CheckResult {
    let service = laptop.service();
    for polls in POLLS {
        interrupted(scenario.timeout, polls, service.load_older(1)).await;
        interrupted(scenario.timeout, polls, service.unsubscribe()).await;
        interrupted(scenario.timeout, polls, service.subscribe()).await;
        laptop.subscribe().await?;
        laptop.until("it is live after subscribe", |now| now.status == Status::Live).await?;
        laptop.shows(kept, 0).await?;

        let (mut unread, mut unread_snapshots) = (laptop.announcement_reader(), service.snapshots());
        let secret = scenario.push(&[ada], &format!("secret{polls}")).await?;
        laptop.until("it has the push", |now| opened(now, &secret) == Some(false)).await?;
        interrupted(scenario.timeout, polls, service.dispose()).await;
        interrupted(scenario.timeout, polls, service.init()).await;
        laptop.dispose().await?;
        laptop.is_idle("after dispose that follows dropped calls")?;
        while let Some(now) = laptop.call("snapshots().next after dispose", unread_snapshots.next()).await? {
            let when = "after dispose that follows a dropped one";
            ensure!(now == Snapshot::default(), "{when} `snapshots` yields {}", describe(&now));
        }
        let after = unread.next("announcements ended with dispose that follows a dropped one").await?;
        let when = "after dispose that follows a dropped one, there was announced";
        ensure!(after.is_none(), "{when} {}", announcement_reader::describe(after.as_ref()));
        laptop.init().await?;
        laptop.remove(&secret).await?;
        laptop.shows(kept, 0).await?;
    }
    let mut reader = laptop.announcement_reader();
    let fence = scenario.push(&[ada], "fence").await?;
    reader.expect(&[&fence]).await
}
