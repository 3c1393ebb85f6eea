use futures_util::{StreamExt, future};
use internal_notifications_service::models::{NotificationId, UserId};
use internal_notifications_service::{Snapshot, Status};

use crate::checked_device::{CheckedDevice, describe, lists, opened};
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

pub(crate) async fn bullet_01_before_init_the_service_is_idle_and_calls_fail(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let a = scenario.push(&[&ada], "a").await?;
    let laptop = scenario.device(&ada).await?;
    laptop.is_idle("before init")?;
    let first = laptop.call("snapshots().next", laptop.service().snapshots().next()).await?;
    ensure!(first == Some(Snapshot::default()), "before init `snapshots` begins with {first:?}");
    laptop.rejects_calls("before init", &bob, &a).await?;
    laptop.dispose().await?;
    laptop.is_idle("after dispose without init")?;

    // The rejected calls had no effect, and streams that were taken before `init` go on.
    let (early, mut announced) = (laptop.service().snapshots(), laptop.announcement_reader());
    laptop.init().await?;
    laptop.shows(&[&a], 1).await?;
    let loaded = early.any(|snapshot| future::ready(snapshot.pending == 1));
    let has_loaded = laptop.call("a stream of snapshots from before init", loaded).await?;
    ensure!(has_loaded, "a stream of snapshots from before init ends with it");
    let b = scenario.push(&[&ada], "b").await?;
    announced.expect(&[&b]).await?;
    let bobs = scenario.live(&bob).await?;
    let fence = scenario.push(&[&bob], "fence").await?;
    bobs.shows(&[&fence], 1).await?;
    Ok(())
}

pub(crate) async fn bullet_02_init_loads_the_first_snapshot_and_announces_none_of_it(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let a = scenario.push(&[&ada], "a").await?;
    let b = scenario.push(&[&ada], "b").await?;
    let laptop = scenario.device(&ada).await?;
    let mut reader = laptop.announcement_reader();
    laptop.init().await?;
    let now = laptop.shows_already("when init has returned", &[&b, &a], 2)?;
    let started = !matches!(now.status, Status::Idle | Status::Starting);
    ensure!(started, "when init has returned the status is {:?}", now.status);
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&[&fence]).await
}

pub(crate) async fn bullet_03_a_second_init_does_nothing(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let a = scenario.push(&[&ada], "a").await?;
    let laptop = scenario.device(&ada).await?;
    let mut reader = laptop.announcement_reader();
    let service = laptop.service();
    let calls = future::try_join3(service.init(), service.init(), service.init());
    laptop.ok("three init at the same time", calls).await?;
    laptop.shows_already("when three init have returned", &[&a], 1)?;
    laptop.until("it is live after init", |now| now.status == Status::Live).await?;

    laptop.init().await?;
    let now = laptop.shows_already("after init of an initialized service", &[&a], 1)?;
    ensure!(now.status != Status::Starting, "init of an initialized service starts it again");
    let b = scenario.push(&[&ada], "b").await?;
    let c = scenario.push(&[&ada], "c").await?;
    reader.expect(&[&b, &c]).await?;
    laptop.shows(&[&c, &b, &a], 3).await?;

    laptop.unsubscribe().await?;
    laptop.init().await?;
    let status = laptop.now().status;
    ensure!(status == Status::Paused, "init of a paused service makes it {status:?}");
    Ok(())
}

pub(crate) async fn bullet_04_a_failed_init_leaves_the_service_idle(scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let a = scenario.push(&[&ada], "a").await?;
    let laptop = scenario.device(&ada).await?;
    let mut reader = laptop.announcement_reader();
    laptop.call("fail_init of the harness", laptop.connection()?.fail_init()).await?;
    for _ in 0..2 {
        if laptop.call("init that must fail", laptop.service().init()).await?.is_ok() {
            return Err(Failure("init succeeds though `fail_init` was called".to_owned()));
        }
        laptop.is_idle("after a failed init")?;
    }
    laptop.rejects_calls("after a failed init", &bob, &a).await?;
    laptop.mend().await?;
    laptop.init().await?;
    laptop.shows_already("after a failed init and a successful one", &[&a], 1)?;
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&[&fence]).await
}

pub(crate) async fn bullet_05_dispose_forgets_the_user(scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let a = scenario.push(&[&ada], "a").await?;
    laptop.shows(&[&a], 1).await?;
    laptop.dispose().await?;
    laptop.is_idle("after dispose")?;
    let first = laptop.call("snapshots().next", laptop.service().snapshots().next()).await?;
    ensure!(first == Some(Snapshot::default()), "after dispose `snapshots` begins with {first:?}");
    laptop.rejects_calls("after dispose", &bob, &a).await?;
    laptop.dispose().await?;
    laptop.is_idle("after a second dispose")?;

    // The user's inbox continues without the disposed device.
    let fence = scenario.push(&[&ada], "fence").await?;
    phone.shows(&[&fence, &a], 2).await?;
    laptop.is_idle("after dispose and a push to the user")?;
    match phone.connection() {
        Ok(_) => drops_queued_writes(scenario, &ada, &laptop, [&fence, &a]).await,
        Err(_) => Ok(()),
    }
}

/// Checks, if the connection can be cut, that a queued write is dropped by `dispose`.
async fn drops_queued_writes(
    scenario: &Scenario<'_>,
    ada: &UserId,
    laptop: &CheckedDevice,
    [b, a]: [&NotificationId; 2],
) -> CheckResult {
    laptop.init().await?;
    laptop.until("it is live after init", |now| now.status == Status::Live).await?;
    laptop.cut().await?;
    laptop.open(&[a]).await?;
    laptop.dispose().await?;
    laptop.is_idle("after dispose with a queued write")?;
    laptop.mend().await?;
    laptop.init().await?;
    let fence = scenario.push(&[ada], "fence2").await?;
    let listed = [&fence, b, a];
    let what = "it shows the inbox without the write that was queued at dispose";
    let is_shown = |now: &Snapshot| lists(now, &listed) && now.pending == 3 && opened(now, a) == Some(false);
    laptop.until(what, is_shown).await?;

    // Writes are stored in order, so the dropped one would have been stored before this one.
    laptop.open(&[&fence]).await?;
    let phone = scenario.live(ada).await?;
    for device in [laptop, &phone] {
        let now = device.shows(&listed, 2).await?;
        let is_dropped = now.unconfirmed == 0 && opened(&now, a) == Some(false);
        ensure!(is_dropped, "a write that was queued at dispose is stored after it: {}", describe(&now));
    }
    Ok(())
}

pub(crate) async fn bullet_06_init_after_dispose_loses_and_repeats_nothing(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let a = scenario.push(&[&ada], "a").await?;
    let laptop = scenario.live(&ada).await?;
    let b = scenario.push(&[&ada], "b").await?;
    laptop.shows(&[&b, &a], 2).await?;
    for (missed, fence) in [("c", "fence"), ("d", "fence2")] {
        let before: Vec<_> = laptop.now().notifications.iter().map(|row| row.id.clone()).collect();
        laptop.dispose().await?;
        let mut reader = laptop.announcement_reader();
        let missed = scenario.push(&[&ada], missed).await?;
        laptop.init().await?;
        let mut all: Vec<_> = [&missed].into_iter().chain(&before).collect();
        laptop.shows_already("after dispose and init", &all, all.len() as u64)?;
        let fence = scenario.push(&[&ada], fence).await?;
        reader.expect(&[&fence]).await?;
        all.insert(0, &fence);
        laptop.shows(&all, all.len() as u64).await?;
    }
    Ok(())
}

pub(crate) async fn bullet_07_unsubscribe_keeps_the_state(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let before = laptop.shows(&[&a], 1).await?;
    reader.expect(&[&a]).await?;
    phone.shows(&[&a], 1).await?;
    for when in ["after unsubscribe", "after a second unsubscribe"] {
        laptop.unsubscribe().await?;
        let now = laptop.now();
        ensure!(now.status == Status::Paused, "{when} the status is {:?}", now.status);
        let kept = now.notifications == before.notifications && now.pending == before.pending;
        ensure!(kept && now.position == before.position, "{when} the state is not kept: {}", describe(&now));
    }
    let b = scenario.push(&[&ada], "b").await?;
    phone.shows(&[&b, &a], 2).await?;
    let c = scenario.push(&[&ada], "c").await?;
    phone.shows(&[&c, &b, &a], 3).await?;
    let now = laptop.shows_already("after unsubscribe and a push to the user", &[&a], 1)?;
    ensure!(now.status == Status::Paused, "the status is {:?} though it was unsubscribed", now.status);
    reader.expect_none("after unsubscribe")
}

pub(crate) async fn bullet_08_subscribe_catches_up(scenario: &Scenario<'_>) -> CheckResult {
    let ada = scenario.user("ada")?;
    let a = scenario.push(&[&ada], "a").await?;
    let laptop = scenario.live(&ada).await?;
    let mut reader = laptop.announcement_reader();
    laptop.unsubscribe().await?;
    let b = scenario.push(&[&ada], "b").await?;
    let c = scenario.push(&[&ada], "c").await?;
    let d = scenario.push(&[&ada], "d").await?;
    laptop.subscribe().await?;
    laptop.shows(&[&d, &c, &b, &a], 4).await?;
    laptop.until("it is live after subscribe", |now| now.status == Status::Live).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&[&b, &c, &d, &fence]).await?;

    laptop.subscribe().await?;
    laptop.shows(&[&fence, &d, &c, &b, &a], 5).await?;
    let e = scenario.push(&[&ada], "e").await?;
    let f = scenario.push(&[&ada], "f").await?;
    reader.expect(&[&e, &f]).await
}
