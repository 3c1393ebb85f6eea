use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{Receipt, RemovedReason};

use super::contents::{Answer, Notification};
use super::transaction::Transaction;
use crate::rules::push::NewPush;
use crate::{StoreError, StoreErrorKind};

/// Executes a push. After an error, nothing has changed.
pub(super) fn run(transaction: &mut Transaction<'_>, push: &NewPush) -> Result<Receipt, StoreError> {
    let caller_key = push.caller_key();
    if let Some((key, answer)) =
        push.idempotency_key.as_ref().zip(caller_key.as_ref()).and_then(|(key, caller_key)| {
            let answer = transaction.contents.answers.get(caller_key)?;
            Some((key, answer))
        })
    {
        return key.answer(&answer.request, answer.receipt.clone());
    }
    match transaction.contents.notifications.get(&push.id) {
        Some(notification) => push.check_stored(&notification.stored)?,
        None => {
            push.check_new()?;
            store(transaction, push)?;
        }
    }
    let receipt = deliver(transaction, push);
    if let Some((caller_key, key)) = caller_key.zip(push.idempotency_key.as_ref()) {
        let (request, receipt, at) = (key.request.clone(), receipt.clone(), push.at.as_millisecond());
        transaction.contents.answers.insert(caller_key, Answer { request, receipt, at });
    }
    Ok(receipt)
}

fn store(transaction: &mut Transaction<'_>, push: &NewPush) -> Result<(), StoreError> {
    // Parsed from the stored JSON, as every store returns it.
    let body = serde_json::from_str(&push.body)
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable).with_source(error))?;
    let contents = &mut *transaction.contents;
    let notification = Notification {
        stored: push.stored_as(contents.next_notification()),
        body,
        bytes: push.body.len(),
        created_at: push.at.as_millisecond(),
        recipients: BTreeSet::new(),
        scheduled: BTreeMap::new(),
        withdrawn_at: i64::MIN,
        withdrawal: None,
    };
    contents.notifications.insert(push.id.clone(), notification);
    if let Some(expires_at) = push.expires_at {
        contents.plan_withdrawal(&push.id, expires_at.as_millisecond(), RemovedReason::Expired);
    }
    Ok(())
}

fn deliver(transaction: &mut Transaction<'_>, push: &NewPush) -> Receipt {
    let mut receipt = Receipt::new(push.id.clone());
    for user in &push.user_ids {
        let contents = &mut *transaction.contents;
        let Some(notification) = contents.notifications.get(&push.id) else { continue };
        if push.is_over(&notification.stored)
            || notification.recipients.contains(user)
            || notification.scheduled.contains_key(user)
        {
            receipt.duplicates += 1;
        } else if let Some(due) = push.due {
            contents.schedule(&push.id, user, due.as_millisecond());
            receipt.scheduled += 1;
        } else {
            transaction.add(user, &push.id, push.at.as_millisecond());
            receipt.accepted += 1;
        }
    }
    receipt
}
