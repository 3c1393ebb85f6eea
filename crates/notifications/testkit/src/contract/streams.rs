use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications_service::models::NotificationId;
use internal_notifications_service::{Announcement, Snapshot, Status};

use crate::announcement_reader::{self, AnnouncementReader};
use crate::checked_device::{CheckedDevice, describe};
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

pub(crate) async fn bullet_16_snapshots_yield_the_current_one_then_the_newest(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let a = scenario.push(&[&ada], "a").await?;
    laptop.shows(&[&a], 1).await?;
    let (mut quick, mut slow) = (laptop.service().snapshots(), laptop.service().snapshots());
    for stream in [&mut quick, &mut slow] {
        let first = next(&laptop, stream).await?;
        ensure!(
            first.pending == 1,
            "`snapshots` begins with {} instead of the current one",
            describe(&first)
        );
    }
    let mut rest = Vec::new();
    for index in 2..=11 {
        rest.push(scenario.push(&[&ada], &format!("n{index}")).await?);
        while next(&laptop, &mut quick).await?.pending < index {}
    }
    let newest = next(&laptop, &mut slow).await?;
    ensure!(newest.pending == 11, "a slow reader of `snapshots` receives an old one: {}", describe(&newest));
    let listed: Vec<_> = rest.iter().rev().chain([&a]).take(scenario.harness.window()).collect();
    laptop.shows(&listed, 11).await?;
    Ok(())
}

async fn next(of: &CheckedDevice, stream: &mut BoxStream<'static, Snapshot>) -> CheckResult<Snapshot> {
    let next = of.call("snapshots().next", stream.next()).await?;
    next.ok_or_else(|| Failure("the snapshots ended".to_owned()))
}

pub(crate) async fn bullet_17_announcements_come_once_and_in_order(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let mut before = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    before.expect(&[&a]).await?;
    let (mut one, mut other) = (laptop.announcement_reader(), laptop.announcement_reader());
    let ids = scenario.push_many(&ada, "n", 5).await?;
    let ids: Vec<_> = ids.iter().collect();
    one.expect(&ids).await?;
    other.expect(&ids).await?;

    // Notifications that are opened or removed before they could be announced.
    laptop.unsubscribe().await?;
    let opened = scenario.push(&[&ada], "opened").await?;
    let removed = scenario.push(&[&ada], "removed").await?;
    let kept = scenario.push(&[&ada], "kept").await?;
    phone.until("the other device shows them", |now| now.pending == 9).await?;
    phone.open(&[&opened]).await?;
    phone.remove(&removed).await?;
    laptop.subscribe().await?;
    laptop.until("it is live after subscribe", |now| now.status == Status::Live && now.pending == 7).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    one.expect(&[&kept, &fence]).await?;
    other.expect(&[&kept, &fence]).await
}

pub(crate) async fn bullet_18_a_slow_reader_receives_skipped(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let (mut slow, mut quick) = (laptop.announcement_reader(), laptop.announcement_reader());
    let count = scenario.harness.announcement_queue() + 10;
    let mut ids = VecDeque::new();
    for index in 0..count {
        let id = scenario.push(&[&ada], &format!("n{index}")).await?;
        quick.expect(&[&id]).await?;
        ids.push_back(id);
    }
    laptop.until("it shows all", |now| now.pending == count as u64).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    quick.expect(&[&fence]).await?;
    ids.push_back(fence);
    let missed = read_late(&mut slow, ids).await?;
    ensure!(
        missed > 0,
        "{count} announcements waited for a slow reader, more than `announcement_queue` allows"
    );
    let last = scenario.push(&[&ada], "last").await?;
    slow.expect(&[&last]).await
}

/// Reads announcements up to the last of these. Some may be missing after a
/// [`Announcement::Skipped`]. Returns how many were missing.
async fn read_late(slow: &mut AnnouncementReader, mut due: VecDeque<NotificationId>) -> CheckResult<usize> {
    let (mut missed, mut may_miss) = (0, false);
    while !due.is_empty() {
        match slow.next("a slow reader received the rest").await? {
            Some(Announcement::Skipped) => may_miss = true,
            Some(Announcement::Notification(row)) => {
                let Some(at) = due.iter().position(|id| *id == row.id) else {
                    return Err(Failure(format!(
                        "a slow reader receives {:?} twice or out of order",
                        row.id
                    )));
                };
                let missing = "a slow reader does not receive `Skipped` for";
                ensure!(at == 0 || may_miss, "{missing} {:?} and {} more", due.front(), at.saturating_sub(1));
                missed += at;
                may_miss = false;
                due.drain(..=at);
            }
            other => {
                return Err(Failure(format!(
                    "a slow reader receives {}",
                    announcement_reader::describe(other.as_ref())
                )));
            }
        }
    }
    Ok(missed)
}

pub(crate) async fn bullet_19_streams_end_with_dispose(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let mut read = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    read.expect(&[&a]).await?;
    laptop.shows(&[&a], 1).await?;
    drop((laptop.service().snapshots(), laptop.service().announcements()));
    let (mut unread, mut half_read) = (laptop.announcement_reader(), laptop.service().snapshots());
    next(&laptop, &mut half_read).await?;
    let unread_snapshots = laptop.service().snapshots();
    let b = scenario.push(&[&ada], "b").await?;
    read.expect(&[&b]).await?;
    laptop.shows(&[&b, &a], 2).await?;

    laptop.dispose().await?;
    for mut snapshots in [half_read, unread_snapshots] {
        while let Some(now) = laptop.call("snapshots().next after dispose", snapshots.next()).await? {
            ensure!(now == Snapshot::default(), "after dispose `snapshots` yields {}", describe(&now));
        }
    }
    for reader in [&mut read, &mut unread] {
        let after = reader.next("announcements ended with dispose").await?;
        ensure!(
            after.is_none(),
            "after dispose `announcements` yields {}",
            announcement_reader::describe(after.as_ref())
        );
    }

    // New streams belong to the next session.
    let mut reader = laptop.announcement_reader();
    laptop.init().await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&[&fence]).await
}
