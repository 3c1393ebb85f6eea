use futures_util::FutureExt;
use internal_notifications_service::models::{NotificationId, UserId};
use internal_notifications_service::{
    Announcement, InboxCommand, OfflinePush, ServiceErrorKind, Snapshot, Status, Written,
};

use crate::announcement_reader::{self, AnnouncementReader};
use crate::checked_device::{CheckedDevice, describe, lists, opened};
use crate::notification::notification;
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

pub(crate) async fn bullet_22_notifications_pushed_while_offline_are_caught_up(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let before = laptop.shows(&[&a], 1).await?;
    reader.expect(&[&a]).await?;
    laptop.cut().await?;
    let missed = scenario.push_many(&ada, "missed", 3).await?;
    let now = laptop.shows_already("without a connection", &[&a], 1)?;
    ensure!(now.position == before.position, "without a connection the position is {:?}", now.position);
    reader.expect_none("without a connection")?;
    laptop.mend().await?;
    let all: Vec<_> = missed.iter().rev().chain([&a]).collect();
    laptop.shows(&all, 4).await?;
    laptop.until("it is live when the connection is back", |now| now.status == Status::Live).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&missed.iter().chain([&fence]).collect::<Vec<_>>()).await
}

pub(crate) async fn bullet_23_writes_while_offline_are_shown_then_stored(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let b = scenario.push(&[&ada], "b").await?;
    let c = scenario.push(&[&ada], "c").await?;
    reader.expect(&[&a, &b, &c]).await?;
    laptop.shows(&[&c, &b, &a], 3).await?;
    laptop.open(&[&c]).await?;
    phone.shows(&[&c, &b, &a], 2).await?;

    laptop.cut().await?;
    queued("mark_opened", laptop.open(&[&a]).await?)?;
    queued("mark_unopened", laptop.unopen(&[&c]).await?)?;
    queued("remove", laptop.remove(&b).await?)?;
    let now = laptop.shows_already("after writes without a connection", &[&c, &a], 2)?;
    let marks = (opened(&now, &a), opened(&now, &c));
    ensure!(
        marks == (Some(true), Some(false)),
        "marks without a connection are not shown: {}",
        describe(&now)
    );
    ensure!(now.unconfirmed > 0, "writes wait, and unconfirmed is 0");
    let fence = scenario.push(&[&ada], "fence").await?;
    let there = phone.shows(&[&fence, &c, &b, &a], 3).await?;
    ensure!(opened(&there, &a) == Some(false), "a write without a connection is stored");

    laptop.mend().await?;
    let is_stored = |now: &Snapshot| {
        let marks = (opened(now, &a), opened(now, &c));
        let list = lists(now, &[&fence, &c, &a]) && marks == (Some(true), Some(false));
        list && now.pending == 2 && now.unconfirmed == 0
    };
    laptop.until("the writes are stored when the connection is back", is_stored).await?;
    phone.until("the other device shows the writes when they are stored", is_stored).await?;
    reader.expect(&[&fence]).await?;
    mark_all(scenario, &ada, [&laptop, &phone], &[&fence, &c, &a]).await
}

/// Checks that a queued `mark_all_opened` opens the notifications seen before, and no later ones
/// (bullet 12).
async fn mark_all(
    scenario: &Scenario<'_>,
    ada: &UserId,
    devices: [&CheckedDevice; 2],
    listed: &[&NotificationId],
) -> CheckResult {
    let [laptop, phone] = devices;
    laptop.cut().await?;
    queued("mark_all_opened", laptop.open_all().await?)?;
    let now = laptop.shows_already("after mark_all_opened without a connection", listed, 2)?;
    let pending = listed.iter().find(|id| opened(&now, id) != Some(true));
    ensure!(pending.is_none(), "mark_all_opened without a connection does not show: {pending:?} is pending");
    let unseen = scenario.push(&[ada], "unseen").await?;
    phone.until("the other device has it", |now| opened(now, &unseen) == Some(false)).await?;
    laptop.mend().await?;
    let what = "notifications seen before are opened and those that came without a connection are not";
    for device in devices {
        let is_stored =
            |now: &Snapshot| now.pending == 1 && now.unconfirmed == 0 && opened(now, &unseen) == Some(false);
        device.until(what, is_stored).await?;
    }
    let fence = scenario.push(&[ada], "last").await?;
    for device in devices {
        let is_stored = |now: &Snapshot| now.pending == 2 && opened(now, &fence) == Some(false);
        let now = device.until("a push after that is added", is_stored).await?;
        ensure!(
            opened(&now, &unseen) == Some(false),
            "a notification that came without a connection is opened later"
        );
    }
    Ok(())
}

pub(crate) async fn bullet_24_a_refused_write_is_rolled_back(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let b = scenario.push(&[&ada], "b").await?;
    reader.expect(&[&a, &b]).await?;
    laptop.shows(&[&b, &a], 2).await?;
    phone.shows(&[&b, &a], 2).await?;

    // Another device removes it first.
    laptop.cut().await?;
    queued("remove", laptop.remove(&a).await?)?;
    queued("mark_opened", laptop.open(&[&b]).await?)?;
    phone.remove(&a).await?;
    laptop.mend().await?;
    let refused = expect_refusal(&mut reader, &InboxCommand::Remove(a.clone())).await?;
    ensure!(
        refused == ServiceErrorKind::Unknown,
        "removing a removed notification is refused as {refused:?}"
    );
    let is_stored = |now: &Snapshot| {
        lists(now, &[&b]) && opened(now, &b) == Some(true) && now.pending == 0 && now.unconfirmed == 0
    };
    laptop.until("the write after a refused one is stored", is_stored).await?;
    phone.until("the other device shows the write after a refused one", is_stored).await?;
    reader.expect_none("after one refused write")?;
    refused_mark(&laptop, &mut reader, &b).await
}

/// Checks, if the harness can have a write refused, that a refused mark is rolled back.
async fn refused_mark(
    laptop: &CheckedDevice,
    reader: &mut AnnouncementReader,
    id: &NotificationId,
) -> CheckResult {
    laptop.cut().await?;
    if !laptop.call("refuse_next_write of the harness", laptop.connection()?.refuse_next_write()).await? {
        return Ok(());
    }
    queued("mark_unopened", laptop.unopen(&[id]).await?)?;
    ensure!(opened(&laptop.now(), id) == Some(false), "a mark without a connection is not shown");
    laptop.mend().await?;
    expect_refusal(reader, &InboxCommand::Unopened(vec![id.clone()])).await?;
    let what = "a refused mark is rolled back";
    laptop.until(what, |now| opened(now, id) == Some(true) && now.unconfirmed == 0).await?;
    Ok(())
}

async fn expect_refusal(
    reader: &mut AnnouncementReader,
    command: &InboxCommand,
) -> CheckResult<ServiceErrorKind> {
    match reader.next("the refusal of a write was announced").await? {
        Some(Announcement::WriteRefused(refused)) if refused.command == *command => Ok(refused.error.kind()),
        other => {
            let announced = announcement_reader::describe(other.as_ref());
            Err(Failure(format!("{announced} was announced instead of the refusal of {command:?}")))
        }
    }
}

pub(crate) async fn bullet_25_the_write_queue_is_bounded(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let a = scenario.push(&[&ada], "a").await?;
    laptop.shows(&[&a], 1).await?;
    laptop.cut().await?;
    for index in 0..scenario.harness.write_queue() {
        let written = match index % 2 {
            0 => laptop.open(&[&a]).await?,
            _ => laptop.unopen(&[&a]).await?,
        };
        queued(&format!("write {} without a connection", index + 1), written)?;
    }
    let is_opened = opened(&laptop.now(), &a) == Some(true);
    let (full, ids) = (ServiceErrorKind::QueueFull, [a.clone()]);
    match is_opened {
        true => laptop.fails("a write beyond the limit", full, laptop.service().mark_unopened(&ids)).await?,
        false => laptop.fails("a write beyond the limit", full, laptop.service().mark_opened(&ids)).await?,
    }
    laptop.fails("a removal beyond the limit", full, laptop.service().remove(&a)).await?;
    let now = laptop.shows_already("after a write beyond the limit", &[&a], 1)?;
    ensure!(opened(&now, &a) == Some(is_opened), "a write beyond the limit is shown");

    laptop.mend().await?;
    let pending = u64::from(!is_opened);
    let is_stored =
        |now: &Snapshot| now.unconfirmed == 0 && now.pending == pending && opened(now, &a) == Some(is_opened);
    laptop.until("the writes of a full queue are stored", is_stored).await?;
    laptop.remove(&a).await?;
    laptop.shows_already("after a write when the queue is empty again", &[], 0)?;
    Ok(())
}

pub(crate) async fn bullet_26_a_push_while_offline_fails_or_waits(scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let laptop = scenario.live(&ada).await?;
    let bobs = scenario.live(&bob).await?;
    let mut reader = bobs.announcement_reader();
    laptop.cut().await?;
    let a = scenario.id("a")?;
    let mut push = Box::pin(laptop.try_push(&[&bob], notification(&a)));
    let receipt = match scenario.harness.offline_push() {
        OfflinePush::Wait => {
            let early = push.as_mut().now_or_never();
            ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
            let fence = scenario.push(&[&bob], "fence").await?;
            bobs.shows(&[&fence], 1).await?;
            reader.expect(&[&fence]).await?;
            let early = push.as_mut().now_or_never();
            ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
            laptop.mend().await?;
            laptop.ok("push when the connection is back", &mut push).await?
        }
        _ => {
            let name = "push without a connection";
            laptop.fails(name, ServiceErrorKind::Unavailable, &mut push).await?;
            laptop.mend().await?;
            laptop.until("it is live when the connection is back", |now| now.status == Status::Live).await?;
            laptop.push(&[&bob], &a).await?
        }
    };
    ensure!(receipt.accepted + receipt.duplicates == 1, "a push when the connection is back: {receipt:?}");
    let fence = scenario.push(&[&bob], "last").await?;
    reader.expect(&[&a, &fence]).await?;
    bobs.until("it has the push", |now| opened(now, &a) == Some(false)).await?;
    match scenario.harness.offline_push() {
        OfflinePush::Wait => disposed_while_waiting(scenario, &laptop, &bob, &mut reader).await,
        _ => Ok(()),
    }
}

/// Checks that `dispose` ends a waiting push, which is not stored later.
async fn disposed_while_waiting(
    scenario: &Scenario<'_>,
    laptop: &CheckedDevice,
    bob: &UserId,
    reader: &mut AnnouncementReader,
) -> CheckResult {
    laptop.cut().await?;
    let given_up = scenario.id("given-up")?;
    let mut push = Box::pin(laptop.try_push(&[bob], notification(&given_up)));
    let early = push.as_mut().now_or_never();
    ensure!(early.is_none(), "a push without a connection does not wait: {early:?}");
    laptop.dispose().await?;
    let name = "push that waited when the service was disposed";
    laptop.fails(name, ServiceErrorKind::NotInitialized, push).await?;
    laptop.mend().await?;
    laptop.init().await?;
    let fence = scenario.id("after-dispose")?;
    laptop.push(&[bob], &fence).await?;
    reader.expect(&[&fence]).await
}

/// Checks that a write without a connection is queued.
fn queued(name: &str, written: Written) -> CheckResult {
    ensure!(written == Written::Queued, "`{name}` without a connection is {written:?}");
    Ok(())
}
