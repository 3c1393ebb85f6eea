use futures_util::StreamExt;
use internal_notifications_service::models::NotificationId;
use internal_notifications_service::{ServiceErrorKind, Snapshot, Status, Written};

use crate::checked_device::{describe, lists, opened};
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

pub(crate) async fn bullet_09_a_push_is_added_once_and_newest_first(scenario: &Scenario<'_>) -> CheckResult {
    const PUSHES: u64 = 20;
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let mut snapshots = laptop.service().snapshots();
    let reading = async {
        loop {
            let next = laptop.call("snapshots().next after a push", snapshots.next()).await?;
            let now = next.ok_or_else(|| Failure("the snapshots ended".to_owned()))?;
            is_consistent(&now, scenario.harness.window())?;
            if now.pending >= PUSHES {
                return Ok(());
            }
        }
    };
    let pushing = scenario.push_many(&ada, "n", PUSHES as usize);
    let ((), ids) = futures_util::future::try_join(reading, pushing).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    let newest: Vec<_> =
        [&fence].into_iter().chain(ids.iter().rev()).take(scenario.harness.window()).collect();
    laptop.shows(&newest, PUSHES + 1).await?;
    Ok(())
}

/// Checks a snapshot of an inbox that only had pushes: their number is the seq and the pending
/// count, and the list has the newest.
fn is_consistent(now: &Snapshot, window: usize) -> CheckResult {
    let seq = now.position.seq;
    let rows = now.notifications.iter().map(|row| row.added);
    let expected = (1..=seq).rev().take(window);
    ensure!(
        now.pending == seq && rows.eq(expected),
        "list, count and position are not of the same moment: {}",
        describe(now)
    );
    Ok(())
}

pub(crate) async fn bullet_10_a_repeated_push_changes_nothing(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let before = laptop.shows(&[&a], 1).await?;
    let again = scenario.push_id(&[&ada], &a).await?;
    ensure!((again.accepted, again.duplicates) == (0, 1), "a repeated push returns {again:?}");
    let fence = scenario.push(&[&ada], "fence").await?;
    let now = laptop.shows(&[&fence, &a], 2).await?;
    let changes = now.position.seq - before.position.seq;
    ensure!(changes == 1, "a push and a repeated one make {changes} changes");

    laptop.remove(&a).await?;
    let again = scenario.push_id(&[&ada], &a).await?;
    ensure!((again.accepted, again.duplicates) == (0, 1), "a push of a removed id returns {again:?}");
    let fence2 = scenario.push(&[&ada], "fence2").await?;
    laptop.shows(&[&fence2, &fence], 2).await?;
    reader.expect(&[&a, &fence, &fence2]).await
}

pub(crate) async fn bullet_11_marks_show_in_list_and_count(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let a = scenario.push(&[&ada], "a").await?;
    let b = scenario.push(&[&ada], "b").await?;
    let c = scenario.push(&[&ada], "c").await?;
    let unknown = scenario.id("unknown")?;
    laptop.shows(&[&c, &b, &a], 3).await?;
    let marked = |when: &str, expected: [bool; 3], pending| {
        let now = laptop.shows_already(when, &[&c, &b, &a], pending)?;
        let marks = [&a, &b, &c].map(|id| opened(&now, id) == Some(true));
        ensure!(
            marks == expected,
            "{when} the opened marks of a, b and c are {marks:?} instead of {expected:?}"
        );
        Ok(now)
    };

    stored("mark_opened", laptop.open(&[&a, &unknown, &b, &a]).await?)?;
    let before = marked("after mark_opened of a and b", [true, true, false], 1)?;
    stored("mark_opened", laptop.open(&[&b, &a]).await?)?;
    stored("mark_unopened", laptop.unopen(&[&c, &unknown]).await?)?;
    let after = marked("after marks that change nothing", [true, true, false], 1)?;
    ensure!(after.position == before.position, "marks that change nothing make a change");
    stored("mark_unopened", laptop.unopen(&[&c, &a]).await?)?;
    marked("after mark_unopened of a", [false, true, false], 2)?;

    // A new device shows the same.
    let phone = scenario.live(&ada).await?;
    let now = phone.shows(&[&c, &b, &a], 2).await?;
    ensure!(opened(&now, &b) == Some(true), "a new device shows b as pending");
    Ok(())
}

pub(crate) async fn bullet_12_mark_all_opens_what_was_seen(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    stored("mark_all_opened", laptop.open_all().await?)?;
    let count = scenario.harness.window() + 2;
    let ids = scenario.push_many(&ada, "n", count).await?;
    let listed: Vec<_> = ids.iter().rev().take(scenario.harness.window()).collect();
    laptop.shows(&listed, count as u64).await?;

    // The laptop does not receive the next push.
    laptop.unsubscribe().await?;
    let unseen = scenario.push(&[&ada], "unseen").await?;
    phone.until("the other device shows it", |now| opened(now, &unseen).is_some()).await?;
    laptop.open_all().await?;
    let now = laptop.now();
    let rest = listed.iter().find(|id| opened(&now, id) == Some(false));
    ensure!(rest.is_none(), "after mark_all_opened {rest:?} is pending in the list");
    let what = "on another device, everything but the newest is opened";
    phone.until(what, |now| now.pending == 1 && opened(now, &unseen) == Some(false)).await?;
    laptop.subscribe().await?;
    let what = "after subscribe, everything but the newest is opened";
    laptop.until(what, |now| now.pending == 1 && opened(now, &unseen) == Some(false)).await?;
    Ok(())
}

pub(crate) async fn bullet_13_remove_updates_list_and_count(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let laptop = scenario.live(&ada).await?;
    let a = scenario.push(&[&ada], "a").await?;
    let b = scenario.push(&[&ada], "b").await?;
    let c = scenario.push(&[&ada], "c").await?;
    laptop.shows(&[&c, &b, &a], 3).await?;
    laptop.open(&[&b]).await?;
    stored("remove", laptop.remove(&a).await?)?;
    laptop.shows_already("after remove of a pending one", &[&c, &b], 1)?;
    stored("remove", laptop.remove(&b).await?)?;
    let before = laptop.shows_already("after remove of an opened one", &[&c], 1)?;
    for absent in [&a, &scenario.id("unknown")?] {
        let name = "remove of an unknown notification";
        laptop.fails(name, ServiceErrorKind::Unknown, laptop.service().remove(absent)).await?;
    }
    let fence = scenario.push(&[&ada], "fence").await?;
    let now = laptop.shows(&[&fence, &c], 2).await?;
    let changes = now.position.seq - before.position.seq;
    ensure!(changes == 1, "a push and two rejected removals make {changes} changes");
    ensure!(now.unconfirmed == 0, "rejected removals are unconfirmed: {}", describe(&now));
    Ok(())
}

pub(crate) async fn bullet_14_devices_agree_and_users_are_separate(scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let bobs = scenario.live(&bob).await?;
    let mut reader = bobs.announcement_reader();
    let both = scenario.push(&[&ada, &bob], "both").await?;
    let adas = scenario.push(&[&ada], "adas").await?;
    for device in [&laptop, &phone] {
        device.shows(&[&adas, &both], 2).await?;
    }
    bobs.shows(&[&both], 1).await?;

    laptop.open(&[&both]).await?;
    let what = "the other device shows it opened";
    phone.until(what, |now| now.pending == 1 && opened(now, &both) == Some(true)).await?;
    phone.unopen(&[&both]).await?;
    let what = "the other device shows it pending again";
    laptop.until(what, |now| now.pending == 2 && opened(now, &both) == Some(false)).await?;
    phone.open_all().await?;
    laptop.until("the other device shows all opened", |now| now.pending == 0).await?;
    laptop.remove(&both).await?;
    phone.until("the other device no longer shows it", |now| lists(now, &[&adas])).await?;

    let fence = scenario.push(&[&bob], "fence").await?;
    let now = bobs.shows(&[&fence, &both], 2).await?;
    ensure!(now.position.seq == 2, "ada's writes changed bob's inbox: {}", describe(&now));
    reader.expect(&[&both, &fence]).await
}

pub(crate) async fn bullet_15_the_list_is_bounded_and_load_older_extends_it(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let window = scenario.harness.window();
    let laptop = scenario.live(&ada).await?;
    let ids = scenario.push_many(&ada, "n", window + 5).await?;
    let all: Vec<&NotificationId> = ids.iter().rev().collect();
    let (count, pending) = (all.len(), all.len() as u64);
    let newest = |most: usize| all.iter().copied().take(most).collect::<Vec<_>>();
    let phone = scenario.live(&ada).await?;
    for device in [&laptop, &phone] {
        let now = device.shows(&newest(window), pending).await?;
        ensure!(now.has_older, "has_older is false, but the list has {window} of {count}");
        device.load_older(2).await?;
        let now = device.shows_already("after load_older(2)", &newest(window + 2), pending)?;
        ensure!(now.has_older, "has_older is false, but the list is not complete");
        device.load_older(50).await?;
        let now = device.shows_already("after load_older of more than there are", &all, pending)?;
        ensure!(!now.has_older, "has_older is true, but the list is complete");
        device.load_older(1).await?;
    }
    let fence = scenario.push(&[&ada], "fence").await?;
    let what = "a push is added to an extended list";
    for device in [&laptop, &phone] {
        let listed: Vec<_> = [&fence].into_iter().chain(all.iter().copied()).collect();
        device.until(what, |now| lists(now, &listed) && now.status == Status::Live).await?;
    }
    Ok(())
}

/// Checks that a write with a connection is stored when its call returns.
fn stored(name: &str, written: Written) -> CheckResult {
    ensure!(written == Written::Stored, "`{name}` with a connection is {written:?}");
    Ok(())
}
