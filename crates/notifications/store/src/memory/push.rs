use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{Receipt, RemovedReason};

use super::contents::{Answer, Notification};
use super::transaction::Transaction;
use crate::rules::push::{NewPush, StoredNotification};
use crate::{StoreError, StoreErrorKind};

/// Does a push; nothing has changed when it is refused.
pub(super) fn run(transaction: &mut Transaction<'_>, push: &NewPush) -> Result<Receipt, StoreError> {
    let used = push.idempotency_key.as_ref().map(|key| (push.sender.clone(), key.key.clone()));
    if let Some((key, answer)) = push.idempotency_key.as_ref().zip(used.as_ref()).and_then(|(key, used)| {
        let answer = transaction.contents.answers.get(used)?;
        Some((key, answer))
    }) {
        return key.answer(&answer.request, answer.receipt.clone());
    }
    match transaction.contents.notifications.get(&push.id) {
        Some(notification) => push.check_known(&notification.known)?,
        None => {
            push.check_new()?;
            store(transaction, push)?;
        }
    }
    let receipt = deliver(transaction, push);
    if let Some((used, key)) = used.zip(push.idempotency_key.as_ref()) {
        let (request, receipt, at) = (key.request.clone(), receipt.clone(), push.at.as_millisecond());
        transaction.contents.answers.insert(used, Answer { request, receipt, at });
    }
    Ok(receipt)
}

fn store(transaction: &mut Transaction<'_>, push: &NewPush) -> Result<(), StoreError> {
    // Read back from the text, as every store gives it.
    let body = serde_json::from_str(&push.body)
        .map_err(|error| StoreError::new(StoreErrorKind::Unavailable).with_source(error))?;
    let contents = &mut *transaction.contents;
    let notification = Notification {
        known: StoredNotification {
            key: contents.next_notification(),
            sender: push.sender.clone(),
            digest: push.digest.clone(),
            withdrawn: false,
        },
        body,
        bytes: push.body.len(),
        created_at: push.at.as_millisecond(),
        held: BTreeSet::new(),
        waiting: BTreeMap::new(),
        leaves: None,
    };
    contents.notifications.insert(push.id.clone(), notification);
    if let Some(expires_at) = push.expires_at {
        contents.plan(&push.id, expires_at.as_millisecond(), RemovedReason::Expired);
    }
    Ok(())
}

fn deliver(transaction: &mut Transaction<'_>, push: &NewPush) -> Receipt {
    let mut receipt = Receipt::new(push.id.clone());
    for user in &push.user_ids {
        let contents = &mut *transaction.contents;
        let Some(notification) = contents.notifications.get_mut(&push.id) else { continue };
        if push.is_over(&notification.known)
            || notification.held.contains(user)
            || notification.waiting.contains_key(user)
        {
            receipt.duplicates += 1;
        } else if let Some(due) = push.due {
            let due = due.as_millisecond();
            notification.waiting.insert(user.clone(), due);
            contents.scheduled.insert((due, notification.known.key, user.clone()), push.id.clone());
            receipt.scheduled += 1;
        } else {
            transaction.add(user, &push.id, push.at.as_millisecond());
            receipt.accepted += 1;
        }
    }
    receipt
}
