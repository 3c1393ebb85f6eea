use std::collections::HashMap;

use internal_notifications_models::{InvalidId, NotificationId};

/// The ids that a statement says it has changed, in the order in which they were asked for.
pub(crate) fn in_the_order_asked(
    asked: &[NotificationId],
    changed: Vec<String>,
) -> Result<Vec<NotificationId>, InvalidId> {
    let place: HashMap<&str, usize> =
        asked.iter().enumerate().rev().map(|(place, id)| (id.as_str(), place)).collect();
    let mut changed: Vec<_> = changed.into_iter().map(NotificationId::new).collect::<Result<_, _>>()?;
    changed.sort_unstable_by_key(|id| place.get(id.as_str()).copied());
    Ok(changed)
}
