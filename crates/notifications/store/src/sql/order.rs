use std::collections::HashMap;

use internal_notifications_models::{InvalidId, NotificationId};

/// Returns the ids that a statement changed, in the order in which they were requested.
pub(crate) fn in_request_order(
    requested: &[NotificationId],
    changed: Vec<String>,
) -> Result<Vec<NotificationId>, InvalidId> {
    let places = requested.iter().enumerate().rev().map(|(place, id)| (id.as_str(), place));
    let places: HashMap<&str, usize> = places.collect();
    let mut changed: Vec<_> = changed.into_iter().map(NotificationId::new).collect::<Result<_, _>>()?;
    changed.sort_unstable_by_key(|id| places.get(id.as_str()).copied());
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_ids_come_in_the_order_of_their_first_request() {
        let requested = ["c", "a", "b", "c"].map(|id| NotificationId::new(id).unwrap());
        let changed = in_request_order(&requested, vec!["a".into(), "b".into(), "c".into()]).unwrap();
        assert_eq!(changed, ["c", "a", "b"].map(|id| NotificationId::new(id).unwrap()));
    }

    #[test]
    fn an_invalid_stored_id_is_an_error() {
        assert!(in_request_order(&[], vec![String::new()]).is_err());
    }
}
