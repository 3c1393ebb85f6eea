use futures_util::FutureExt;
use internal_notifications_service::models::{NotificationId, UserId};
use internal_notifications_service::{
    Announcement, InboxCommand, OfflinePush, ServiceErrorKind, Snapshot, Status, Written,
};

use crate::ear::{self, Ear};
use crate::probe::{Probe, lists, opened, told};
use crate::stage::{Stage, notification};
use crate::violation::{Broken, Held, ensure};

pub(crate) async fn bullet_22_what_came_while_offline_is_caught_up(stage: &Stage<'_>) -> Held {
    let ada = stage.user("ada")?;
    let laptop = stage.live(&ada).await?;
    let mut ear = laptop.ear();
    let a = stage.push(&[&ada], "a").await?;
    let before = laptop.shows(&[&a], 1).await?;
    ear.hears(&[&a]).await?;
    laptop.cut().await?;
    let missed = stage.push_many(&ada, "missed", 3).await?;
    let now = laptop.shows_already("without a connection", &[&a], 1)?;
    ensure!(now.position == before.position, "without a connection the position is {:?}", now.position);
    ear.is_silent("without a connection")?;
    laptop.mend().await?;
    let all: Vec<_> = missed.iter().rev().chain([&a]).collect();
    laptop.shows(&all, 4).await?;
    laptop.until("it is live when the connection is back", |now| now.status == Status::Live).await?;
    let fence = stage.push(&[&ada], "fence").await?;
    ear.hears(&missed.iter().chain([&fence]).collect::<Vec<_>>()).await
}

pub(crate) async fn bullet_23_writes_while_offline_are_shown_then_stored(stage: &Stage<'_>) -> Held {
    let ada = stage.user("ada")?;
    let (laptop, phone) = (stage.live(&ada).await?, stage.live(&ada).await?);
    let mut ear = laptop.ear();
    let a = stage.push(&[&ada], "a").await?;
    let b = stage.push(&[&ada], "b").await?;
    let c = stage.push(&[&ada], "c").await?;
    ear.hears(&[&a, &b, &c]).await?;
    laptop.shows(&[&c, &b, &a], 3).await?;
    laptop.open(&[&c]).await?;
    phone.shows(&[&c, &b, &a], 2).await?;

    laptop.cut().await?;
    queued("mark_opened", laptop.open(&[&a]).await?)?;
    queued("mark_unopened", laptop.unopen(&[&c]).await?)?;
    queued("remove", laptop.remove(&b).await?)?;
    let now = laptop.shows_already("after writes without a connection", &[&c, &a], 2)?;
    let marks = (opened(&now, &a), opened(&now, &c));
    ensure!(marks == (Some(true), Some(false)), "marks without a connection are not shown: {}", told(&now));
    ensure!(now.unconfirmed > 0, "writes wait, and unconfirmed is 0");
    let fence = stage.push(&[&ada], "fence").await?;
    let there = phone.shows(&[&fence, &c, &b, &a], 3).await?;
    ensure!(opened(&there, &a) == Some(false), "a write without a connection is stored");

    laptop.mend().await?;
    let so = |now: &Snapshot| {
        let marks = (opened(now, &a), opened(now, &c));
        let list = lists(now, &[&fence, &c, &a]) && marks == (Some(true), Some(false));
        list && now.pending == 2 && now.unconfirmed == 0
    };
    laptop.until("the writes are stored when the connection is back", so).await?;
    phone.until("the other device shows the writes when they are stored", so).await?;
    ear.hears(&[&fence]).await?;
    mark_all(stage, &ada, [&laptop, &phone], &[&fence, &c, &a]).await
}

/// All that was seen is opened without a connection: not what came since, however late the write is stored (12).
async fn mark_all(stage: &Stage<'_>, ada: &UserId, devices: [&Probe; 2], listed: &[&NotificationId]) -> Held {
    let [laptop, phone] = devices;
    laptop.cut().await?;
    queued("mark_all_opened", laptop.open_all().await?)?;
    let now = laptop.shows_already("after mark_all_opened without a connection", listed, 2)?;
    let pending = listed.iter().find(|id| opened(&now, id) != Some(true));
    ensure!(pending.is_none(), "mark_all_opened without a connection does not show: {pending:?} is pending");
    let unseen = stage.push(&[ada], "unseen").await?;
    phone.until("the other device has it", |now| opened(now, &unseen) == Some(false)).await?;
    laptop.mend().await?;
    let what = "everything that was seen is opened and what came without a connection is not";
    for device in devices {
        let so =
            |now: &Snapshot| now.pending == 1 && now.unconfirmed == 0 && opened(now, &unseen) == Some(false);
        device.until(what, so).await?;
    }
    let fence = stage.push(&[ada], "last").await?;
    for device in devices {
        let so = |now: &Snapshot| now.pending == 2 && opened(now, &fence) == Some(false);
        let now = device.until("a push after that is added", so).await?;
        ensure!(opened(&now, &unseen) == Some(false), "what came without a connection is opened later");
    }
    Ok(())
}

pub(crate) async fn bullet_24_a_refused_write_is_rolled_back(stage: &Stage<'_>) -> Held {
    let ada = stage.user("ada")?;
    let (laptop, phone) = (stage.live(&ada).await?, stage.live(&ada).await?);
    let mut ear = laptop.ear();
    let a = stage.push(&[&ada], "a").await?;
    let b = stage.push(&[&ada], "b").await?;
    ear.hears(&[&a, &b]).await?;
    laptop.shows(&[&b, &a], 2).await?;
    phone.shows(&[&b, &a], 2).await?;

    // Another device is first to remove it.
    laptop.cut().await?;
    queued("remove", laptop.remove(&a).await?)?;
    queued("mark_opened", laptop.open(&[&b]).await?)?;
    phone.remove(&a).await?;
    laptop.mend().await?;
    let refused = hears_of_a_refusal(&mut ear, &InboxCommand::Remove(a.clone())).await?;
    ensure!(refused == ServiceErrorKind::Unknown, "a removal of what is gone is refused as {refused:?}");
    let so = |now: &Snapshot| {
        lists(now, &[&b]) && opened(now, &b) == Some(true) && now.pending == 0 && now.unconfirmed == 0
    };
    laptop.until("the write after a refused one is stored", so).await?;
    phone.until("the other device shows the write after a refused one", so).await?;
    ear.is_silent("after one refused write")?;
    refused_mark(&laptop, &mut ear, &b).await
}

/// Where the harness can have any write refused: a mark, which must no longer be shown.
async fn refused_mark(laptop: &Probe, ear: &mut Ear, id: &NotificationId) -> Held {
    laptop.cut().await?;
    if !laptop.call("refuse_next_write of the harness", laptop.connection()?.refuse_next_write()).await? {
        return Ok(());
    }
    queued("mark_unopened", laptop.unopen(&[id]).await?)?;
    ensure!(opened(&laptop.now(), id) == Some(false), "a mark without a connection is not shown");
    laptop.mend().await?;
    hears_of_a_refusal(ear, &InboxCommand::Unopened(vec![id.clone()])).await?;
    let what = "a refused mark is rolled back";
    laptop.until(what, |now| opened(now, id) == Some(true) && now.unconfirmed == 0).await?;
    Ok(())
}

async fn hears_of_a_refusal(ear: &mut Ear, command: &InboxCommand) -> Held<ServiceErrorKind> {
    match ear.next("the refusal of a write was announced").await? {
        Some(Announcement::WriteRefused(refused)) if refused.command == *command => Ok(refused.error.kind()),
        other => {
            let told = ear::told(other.as_ref());
            Err(Broken(format!("{told} was announced instead of the refusal of {command:?}")))
        }
    }
}

pub(crate) async fn bullet_25_the_queue_is_bounded(stage: &Stage<'_>) -> Held {
    let ada = stage.user("ada")?;
    let laptop = stage.live(&ada).await?;
    let a = stage.push(&[&ada], "a").await?;
    laptop.shows(&[&a], 1).await?;
    laptop.cut().await?;
    for index in 0..stage.harness.queue() {
        let written = match index % 2 {
            0 => laptop.open(&[&a]).await?,
            _ => laptop.unopen(&[&a]).await?,
        };
        queued(&format!("write {} without a connection", index + 1), written)?;
    }
    let is_opened = opened(&laptop.now(), &a) == Some(true);
    let (full, ids) = (ServiceErrorKind::QueueFull, [a.clone()]);
    match is_opened {
        true => laptop.errs("a write too many", full, laptop.service().mark_unopened(&ids)).await?,
        false => laptop.errs("a write too many", full, laptop.service().mark_opened(&ids)).await?,
    }
    laptop.errs("a removal too many", full, laptop.service().remove(&a)).await?;
    let now = laptop.shows_already("after a write too many", &[&a], 1)?;
    ensure!(opened(&now, &a) == Some(is_opened), "a write too many is shown");

    laptop.mend().await?;
    let pending = u64::from(!is_opened);
    let so =
        |now: &Snapshot| now.unconfirmed == 0 && now.pending == pending && opened(now, &a) == Some(is_opened);
    laptop.until("the writes of a full queue are stored", so).await?;
    laptop.remove(&a).await?;
    laptop.shows_already("after a write when the queue is empty again", &[], 0)?;
    Ok(())
}

pub(crate) async fn bullet_26_a_push_while_offline_errs_or_waits(stage: &Stage<'_>) -> Held {
    let (ada, bob) = (stage.user("ada")?, stage.user("bob")?);
    let laptop = stage.live(&ada).await?;
    let bobs = stage.live(&bob).await?;
    let mut ear = bobs.ear();
    laptop.cut().await?;
    let a = stage.id("a")?;
    let mut push = Box::pin(laptop.try_push(&[&bob], notification(&a)));
    let receipt = match stage.harness.offline_push() {
        OfflinePush::Err => {
            let name = "push without a connection";
            laptop.errs(name, ServiceErrorKind::Unavailable, &mut push).await?;
            laptop.mend().await?;
            laptop.until("it is live when the connection is back", |now| now.status == Status::Live).await?;
            laptop.push(&[&bob], &a).await?
        }
        OfflinePush::Wait => {
            let early = push.as_mut().now_or_never();
            ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
            let fence = stage.push(&[&bob], "fence").await?;
            bobs.shows(&[&fence], 1).await?;
            ear.hears(&[&fence]).await?;
            let early = push.as_mut().now_or_never();
            ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
            laptop.mend().await?;
            laptop.ok("push when the connection is back", &mut push).await?
        }
    };
    ensure!(receipt.accepted + receipt.duplicates == 1, "a push when the connection is back: {receipt:?}");
    let fence = stage.push(&[&bob], "last").await?;
    ear.hears(&[&a, &fence]).await?;
    bobs.until("it has the push", |now| opened(now, &a) == Some(false)).await?;
    match stage.harness.offline_push() {
        OfflinePush::Err => Ok(()),
        OfflinePush::Wait => disposed_while_waiting(stage, &laptop, &bob, &mut ear).await,
    }
}

/// A push that waits ends with its service, and is not stored by the next one.
async fn disposed_while_waiting(stage: &Stage<'_>, laptop: &Probe, bob: &UserId, ear: &mut Ear) -> Held {
    laptop.cut().await?;
    let given_up = stage.id("given-up")?;
    let mut push = Box::pin(laptop.try_push(&[bob], notification(&given_up)));
    let early = push.as_mut().now_or_never();
    ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
    laptop.dispose().await?;
    let name = "push that waited when the service was disposed";
    laptop.errs(name, ServiceErrorKind::NotInitialized, push).await?;
    laptop.mend().await?;
    laptop.init().await?;
    let fence = stage.id("after-dispose")?;
    laptop.push(&[bob], &fence).await?;
    ear.hears(&[&fence]).await
}

/// Without a connection a write waits.
fn queued(name: &str, written: Written) -> Held {
    ensure!(written == Written::Queued, "`{name}` without a connection is {written:?}");
    Ok(())
}
