use internal_notifications_service::models::{NotificationId, UserId};
use internal_notifications_service::{ServiceErrorKind, Status};

use crate::deadline::interrupted;
use crate::probe::{Probe, opened};
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
        interrupted(stage.patience, polls, service.dispose()).await;
        interrupted(stage.patience, polls, service.init()).await;
        laptop.dispose().await?;
        laptop.is_idle("after dispose that follows dropped calls")?;
        laptop.init().await?;
        laptop.shows(kept, 0).await?;
    }
    let mut ear = laptop.ear();
    let fence = stage.push(&[ada], "fence").await?;
    ear.hears(&[&fence]).await
}
