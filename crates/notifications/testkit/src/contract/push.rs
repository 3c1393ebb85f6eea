use internal_notifications_service::ServiceErrorKind;
use internal_notifications_service::models::{InternalNotification, JsonText};

use crate::checked_device::describe;
use crate::scenario::Scenario;
use crate::violation::{CheckResult, Failure, ensure};

pub(crate) async fn bullet_20_push_is_stored_and_counts_each_recipient_once(
    scenario: &Scenario<'_>,
) -> CheckResult {
    let [ada, bob, carol] = [scenario.user("ada")?, scenario.user("bob")?, scenario.user("carol")?];
    let laptop = scenario.live(&ada).await?;
    let bobs = scenario.live(&bob).await?;
    let a = scenario.id("a")?;
    let receipt = laptop.push(&[&bob, &carol, &bob], &a).await?;
    let counts = (receipt.accepted, receipt.duplicates, receipt.scheduled);
    ensure!(receipt.id == a && counts == (2, 0, 0), "a push to bob, carol and bob returns {receipt:?}");

    // It is stored: a device that starts afterwards has it.
    let carols = scenario.device(&carol).await?;
    carols.init().await?;
    carols.shows_already("when init has returned after the push", &[&a], 1)?;
    bobs.shows(&[&a], 1).await?;
    let receipt = laptop.push(&[&bob, &ada], &a).await?;
    let counts = (receipt.accepted, receipt.duplicates, receipt.scheduled);
    ensure!(receipt.id == a && counts == (1, 1, 0), "the same push to bob and ada returns {receipt:?}");
    laptop.shows(&[&a], 1).await?;

    // Read as a float, these numbers would change.
    let payload = "[98765432109876543210987,-0.0,1.50]".parse::<JsonText>();
    let payload = payload.map_err(|error| Failure(error.to_string()))?;
    let unnamed = InternalNotification::new("without an id").with_heading("as it was written");
    let unnamed = unnamed.with_payload(payload.clone()).with_extra("color", payload);
    let receipt = laptop.ok("push", laptop.try_push(&[&bob], unnamed.clone())).await?;
    ensure!(receipt.accepted == 1, "a push without an id returns {receipt:?}");
    let now = bobs.shows(&[&receipt.id, &a], 2).await?;
    let row = now.notifications.first();
    let same = row.is_some_and(|row| {
        row.content == unnamed.content
            && row.heading == unnamed.heading
            && row.payload == unnamed.payload
            && row.extra == unnamed.extra
    });
    ensure!(same, "the notification is not as it was pushed: {row:?}");
    Ok(())
}

pub(crate) async fn bullet_21_a_rejected_push_changes_nothing(scenario: &Scenario<'_>) -> CheckResult {
    let (ada, bob) = (scenario.user("ada")?, scenario.user("bob")?);
    let laptop = scenario.live(&ada).await?;
    let bobs = scenario.live(&bob).await?;
    let mut reader = bobs.announcement_reader();
    let empty = InternalNotification::new("");
    let mut opened = InternalNotification::new("opened");
    opened.opened = true;
    let mut reserved = InternalNotification::new("reserved");
    reserved.extra.insert("seq".to_owned(), 7.into());
    for (what, notification) in
        [("an empty notification", empty), ("an opened notification", opened), ("a reserved key", reserved)]
    {
        let call = laptop.try_push(&[&bob], notification);
        laptop.fails(&format!("push of {what}"), ServiceErrorKind::Invalid, call).await?;
    }
    let taken = scenario.push(&[&bob], "taken").await?;
    let other = InternalNotification::new("another content").with_id(taken.clone());
    let call = laptop.try_push(&[&bob, &ada], other);
    laptop.fails("push with the id of another notification", ServiceErrorKind::Conflict, call).await?;

    let fence = scenario.push(&[&ada, &bob], "fence").await?;
    let now = bobs.shows(&[&fence, &taken], 2).await?;
    ensure!(now.position.seq == 2, "rejected pushes changed the inbox: {}", describe(&now));
    reader.expect(&[&taken, &fence]).await?;
    laptop.shows(&[&fence], 1).await?;
    Ok(())
}
