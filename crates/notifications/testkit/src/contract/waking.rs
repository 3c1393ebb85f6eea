use internal_notifications_service::Status;

use crate::checked_device::describe;
use crate::scenario::Scenario;
use crate::violation::{CheckResult, ensure};

pub(crate) async fn bullet_28_wake_finds_what_was_missed_and_changes_nothing_else(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let ada = scenario.user("ada")?;
    let (laptop, phone) = (scenario.live(&ada).await?, scenario.live(&ada).await?);
    let mut reader = laptop.announcement_reader();
    let a = scenario.push(&[&ada], "a").await?;
    let before = laptop.shows(&[&a], 1).await?;
    reader.expect(&[&a]).await?;
    for _ in 0..3 {
        laptop.wake().await?;
    }
    laptop.until("it is live after wake", |now| now.status == Status::Live).await?;
    let now = laptop.shows_already("after wake", &[&a], 1)?;
    ensure!(now.position == before.position, "after wake the position is {:?}", now.position);
    let b = scenario.push(&[&ada], "b").await?;
    laptop.shows(&[&b, &a], 2).await?;
    reader.expect(&[&b]).await?;

    laptop.unsubscribe().await?;
    let c = scenario.push(&[&ada], "c").await?;
    phone.shows(&[&c, &b, &a], 3).await?;
    laptop.wake().await?;
    let now = laptop.shows_already("after unsubscribe and wake", &[&b, &a], 2)?;
    ensure!(now.status == Status::Paused, "after unsubscribe and wake it is {}", describe(&now));
    let d = scenario.push(&[&ada], "d").await?;
    phone.shows(&[&d, &c, &b, &a], 4).await?;
    laptop.shows_already("after unsubscribe, wake and a push", &[&b, &a], 2)?;
    reader.expect_none("after unsubscribe and wake")?;
    laptop.subscribe().await?;
    laptop.shows(&[&d, &c, &b, &a], 4).await?;
    reader.expect(&[&c, &d]).await?;
    if laptop.connection().is_err() {
        return Ok(());
    }

    laptop.cut().await?;
    let e = scenario.push(&[&ada], "e").await?;
    laptop.wake().await?;
    laptop.shows_already("after wake without a connection", &[&d, &c, &b, &a], 4)?;
    laptop.mend().await?;
    laptop.wake().await?;
    laptop.shows(&[&e, &d, &c, &b, &a], 5).await?;
    laptop.until("it is live after wake with a connection", |now| now.status == Status::Live).await?;
    let fence = scenario.push(&[&ada], "fence").await?;
    reader.expect(&[&e, &fence]).await
}
