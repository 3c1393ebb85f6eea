use futures_util::StreamExt;
use internal_notifications_service::models::{InternalNotification, NotificationId, UserId};
use internal_notifications_service::{Announcement, ServiceErrorKind, Snapshot, Status};

use crate::deadline::interrupted;
use crate::ear;
use crate::probe::{Probe, opened, told};
use crate::stage::{Stage, notification};
use crate::violation::{Broken, Held, ensure};

/// A call is dropped after its first poll, after its second, and so on.
const POLLS: std::ops::RangeInclusive<usize> = 1..=4;

pub(crate) async fn bullet_27_a_dropped_call_happens_once_or_not_at_all(stage: &Stage<'_>) -> Held {
    let (ada, bob) = (stage.user("ada")?, stage.user("bob")?);
    let laptop = stage.device(&ada).await?;
    for polls in POLLS {
        interrupted(stage.patience, polls, laptop.service().init()).await;
    }
    laptop.init().await?;
    laptop.until("it is live after init", |now| now.status == Status::Live).await?;
    pushes(stage, &laptop, &bob).await?;
    pushes_without_an_id(stage, &laptop).await?;
    let kept = writes(stage, &laptop, &ada).await?;
    let kept: Vec<_> = kept.iter().rev().collect();
    lifecycle(stage, &laptop, &ada, &kept).await
}

async fn pushes(stage: &Stage<'_>, laptop: &Probe, bob: &UserId) -> Held {
    let bobs = stage.live(bob).await?;
    let mut ear = bobs.ear();
    let mut ids = Vec::new();
    for polls in POLLS {
        let id = stage.id(&format!("push{polls}"))?;
        interrupted(stage.patience, polls, laptop.try_push(&[bob], notification(&id))).await;
        let receipt = laptop.push(&[bob], &id).await?;
        let stored = receipt.accepted + receipt.duplicates;
        ensure!(stored == 1, "a push that is repeated after its first future was dropped: {receipt:?}");
        ids.push(id);
    }
    let fence = stage.push(&[bob], "fence").await?;
    ids.push(fence);
    let newest: Vec<_> = ids.iter().rev().collect();
    bobs.shows(&newest, ids.len() as u64).await?;
    ear.hears(&ids.iter().collect::<Vec<_>>()).await
}

/// Nobody can repeat these: each arrives once, or not at all.
async fn pushes_without_an_id(stage: &Stage<'_>, laptop: &Probe) -> Held {
    let carol = stage.user("carol")?;
    let carols = stage.live(&carol).await?;
    let mut ear = carols.ear();
    let mut heard: Vec<String> = Vec::new();
    for polls in POLLS {
        let unnamed = InternalNotification::new(format!("without an id {polls}"));
        interrupted(stage.patience, polls, laptop.try_push(&[&carol], unnamed)).await;
        let fence = stage.id(&format!("fence{polls}"))?;
        laptop.push(&[&carol], &fence).await?;
        loop {
            match ear.next("a push was announced that follows one whose future was dropped").await? {
                Some(Announcement::Notification(row)) if row.id == fence => break,
                Some(Announcement::Notification(row)) => {
                    let content = &row.content;
                    ensure!(
                        !heard.contains(content),
                        "a push whose future was dropped is stored twice: {content}"
                    );
                    heard.push(content.clone());
                }
                other => return Err(Broken(format!("{} was announced", ear::told(other.as_ref())))),
            }
        }
    }
    Ok(())
}

/// Interrupts writes; gives the notifications that are left, all opened.
async fn writes(stage: &Stage<'_>, laptop: &Probe, ada: &UserId) -> Held<Vec<NotificationId>> {
    let mut kept = Vec::new();
    for polls in POLLS {
        let id = stage.push(&[ada], &format!("kept{polls}")).await?;
        let gone = stage.push(&[ada], &format!("gone{polls}")).await?;
        kept.push(id.clone());
        laptop.until("it has them", |now| opened(now, &gone) == Some(false)).await?;
        let (service, ids) = (laptop.service(), [id]);
        interrupted(stage.patience, polls, service.mark_opened(&ids)).await;
        laptop.ok("mark_opened after one that was dropped", service.mark_opened(&ids)).await?;
        interrupted(stage.patience, polls, service.mark_all_opened()).await;
        laptop.ok("mark_all_opened after one that was dropped", service.mark_all_opened()).await?;
        interrupted(stage.patience, polls, service.remove(&gone)).await;
        match laptop.call("remove after one that was dropped", service.remove(&gone)).await? {
            Ok(_) => {}
            Err(error) if error.kind() == ServiceErrorKind::Unknown => {}
            Err(error) => {
                let kind = error.kind();
                return Err(Broken(format!(
                    "a remove after one that was dropped errs with {kind:?}: {error}"
                )));
            }
        }
    }
    let newest: Vec<_> = kept.iter().rev().collect();
    let phone = stage.live(ada).await?;
    for device in [laptop, &phone] {
        device.shows(&newest, 0).await?;
    }
    Ok(kept)
}

async fn lifecycle(stage: &Stage<'_>, laptop: &Probe, ada: &UserId, kept: &[&NotificationId]) -> Held {
    let service = laptop.service();
    for polls in POLLS {
        interrupted(stage.patience, polls, service.load_older(1)).await;
        interrupted(stage.patience, polls, service.unsubscribe()).await;
        interrupted(stage.patience, polls, service.subscribe()).await;
        laptop.subscribe().await?;
        laptop.until("it is live after subscribe", |now| now.status == Status::Live).await?;
        laptop.shows(kept, 0).await?;

        let (mut unread, mut unread_snapshots) = (laptop.ear(), service.snapshots());
        let secret = stage.push(&[ada], &format!("secret{polls}")).await?;
        laptop.until("it has the push", |now| opened(now, &secret) == Some(false)).await?;
        interrupted(stage.patience, polls, service.dispose()).await;
        interrupted(stage.patience, polls, service.init()).await;
        laptop.dispose().await?;
        laptop.is_idle("after dispose that follows dropped calls")?;
        while let Some(now) = laptop.call("snapshots().next after dispose", unread_snapshots.next()).await? {
            let when = "after dispose that follows a dropped one";
            ensure!(now == Snapshot::default(), "{when} `snapshots` yields {}", told(&now));
        }
        let after = unread.next("announcements ended with dispose that follows a dropped one").await?;
        let when = "after dispose that follows a dropped one, there was announced";
        ensure!(after.is_none(), "{when} {}", ear::told(after.as_ref()));
        laptop.init().await?;
        laptop.remove(&secret).await?;
        laptop.shows(kept, 0).await?;
    }
    let mut ear = laptop.ear();
    let fence = stage.push(&[ada], "fence").await?;
    ear.hears(&[&fence]).await
}
