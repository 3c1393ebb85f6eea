use futures_util::StreamExt;
use internal_notifications_service::models::{InternalNotification, NotificationId, UserId};
use internal_notifications_service::{Announcement, ServiceErrorKind, Snapshot, Status};

use crate::announcement_reader;
use crate::checked_device::{CheckedDevice, describe, opened};
use crate::deadline::interrupted;
use crate::notification::notification;
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

/// The numbers of polls after which a call is dropped.
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
        ensure!(stored == 1, "a push that is repeated after a dropped call returns {receipt:?}");
        ids.push(id);
    }
    let fence = scenario.push(&[bob], "fence").await?;
    ids.push(fence);
    let newest: Vec<_> = ids.iter().rev().collect();
    bobs.shows(&newest, ids.len() as u64).await?;
    reader.expect(&ids.iter().collect::<Vec<_>>()).await
}

/// A push without an id cannot be repeated: it arrives once or not at all.
async fn pushes_without_an_id(scenario: &Scenario<'_>, laptop: &CheckedDevice) -> CheckResult {
    let carol = scenario.user("carol")?;
    let carols = scenario.live(&carol).await?;
    let mut reader = carols.announcement_reader();
    let mut announced: Vec<String> = Vec::new();
    for polls in POLLS {
        let unnamed = InternalNotification::new(format!("without an id {polls}"));
        interrupted(scenario.timeout, polls, laptop.try_push(&[&carol], unnamed)).await;
        let fence = scenario.id(&format!("fence{polls}"))?;
        laptop.push(&[&carol], &fence).await?;
        loop {
            match reader.next("the push after a dropped one was announced").await? {
                Some(Announcement::Notification(row)) if row.id == fence => break,
                Some(Announcement::Notification(row)) => {
                    let content = &row.content;
                    ensure!(!announced.contains(content), "a dropped push is stored twice: {content}");
                    announced.push(content.clone());
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

/// Interrupts writes. Returns the notifications that are left, all opened.
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
        laptop.until("it shows the pushes", |now| opened(now, &gone) == Some(false)).await?;
        let (service, ids) = (laptop.service(), [id]);
        interrupted(scenario.timeout, polls, service.mark_opened(&ids)).await;
        laptop.ok("mark_opened after a dropped one", service.mark_opened(&ids)).await?;
        interrupted(scenario.timeout, polls, service.mark_all_opened()).await;
        laptop.ok("mark_all_opened after a dropped one", service.mark_all_opened()).await?;
        interrupted(scenario.timeout, polls, service.remove(&gone)).await;
        match laptop.call("remove after a dropped one", service.remove(&gone)).await? {
            Ok(_) => {}
            Err(error) if error.kind() == ServiceErrorKind::Unknown => {}
            Err(error) => {
                let kind = error.kind();
                return Err(Failure(format!("a remove after a dropped one fails with {kind:?}: {error}")));
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
        laptop.until("it shows the push", |now| opened(now, &secret) == Some(false)).await?;
        interrupted(scenario.timeout, polls, service.dispose()).await;
        interrupted(scenario.timeout, polls, service.init()).await;
        laptop.dispose().await?;
        laptop.is_idle("after dropped calls and dispose")?;
        while let Some(now) = laptop.call("snapshots().next after dispose", unread_snapshots.next()).await? {
            let when = "after a dropped dispose and dispose";
            ensure!(now == Snapshot::default(), "{when} `snapshots` yields {}", describe(&now));
        }
        let after = unread.next("announcements ended with the dispose after a dropped one").await?;
        let when = "after a dropped dispose and dispose, `announcements` yields";
        ensure!(after.is_none(), "{when} {}", announcement_reader::describe(after.as_ref()));
        laptop.init().await?;
        laptop.remove(&secret).await?;
        laptop.shows(kept, 0).await?;
    }
    let mut reader = laptop.announcement_reader();
    let fence = scenario.push(&[ada], "fence").await?;
    reader.expect(&[&fence]).await
}
