use std::collections::HashSet;

use crate::models::{NotificationId, UserId};
use crate::store::Push;

/// Intents that are pushed together, with the keys of their rows.
pub(super) type Part = Vec<(i64, Push)>;

/// The most parts that are pushed at the same time, so that the relay leaves transactions to
/// others.
const AT_ONCE: usize = 3;

/// Divides parts into waves, in order. Those of a wave can be pushed at the same time: no recipient
/// and no id occurs in two of them, so that every inbox gets its notifications in order.
pub(super) fn waves(parts: Vec<Part>, most_recipients: usize) -> Vec<Vec<Part>> {
    let (mut waves, mut taken) = (Vec::<Vec<Part>>::new(), Taken::default());
    for part in parts {
        let own = Taken::by(&part);
        match waves.last_mut() {
            Some(wave) if wave.len() < AT_ONCE && taken.has_room_for(&own, most_recipients) => {
                wave.push(part);
                taken.add(own);
            }
            _ => {
                waves.push(vec![part]);
                taken = own;
            }
        }
    }
    waves
}

/// What pushes concern.
#[derive(Default)]
struct Taken {
    users: HashSet<UserId>,
    ids: HashSet<NotificationId>,
    recipients: usize,
}

impl Taken {
    fn by(part: &Part) -> Self {
        let pushes = || part.iter().map(|(_, push)| push);
        Self {
            users: pushes().flat_map(|push| push.user_ids.iter().cloned()).collect(),
            ids: pushes().map(|push| push.id.clone()).collect(),
            recipients: pushes().map(|push| push.user_ids.len()).sum(),
        }
    }

    fn has_room_for(&self, other: &Self, most_recipients: usize) -> bool {
        self.recipients + other.recipients <= most_recipients
            && self.users.is_disjoint(&other.users)
            && self.ids.is_disjoint(&other.ids)
    }

    fn add(&mut self, other: Self) {
        self.users.extend(other.users);
        self.ids.extend(other.ids);
        self.recipients += other.recipients;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::InternalNotification;

    fn part(key: i64, id: &str, users: &[&str]) -> Part {
        let users = users.iter().map(|user| UserId::new(*user).unwrap()).collect();
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let notification = InternalNotification::new("c");
        vec![(key, Push::new(NotificationId::new(id).unwrap(), "outbox:test", notification, users, at))]
    }

    fn keys(parts: Vec<Part>, most_recipients: usize) -> Vec<Vec<i64>> {
        let key = |part: Part| part.first().map(|(key, _)| *key).unwrap();
        waves(parts, most_recipients).into_iter().map(|wave| wave.into_iter().map(key).collect()).collect()
    }

    #[test]
    fn parts_with_a_recipient_or_an_id_in_common_come_after_each_other() {
        let parts = vec![
            part(1, "a", &["ada"]),
            part(2, "b", &["bob"]),
            part(3, "c", &["eve", "ada"]),
            part(4, "d", &["bob"]),
            part(5, "d", &["ivy"]),
        ];
        assert_eq!(keys(parts, 100), [vec![1, 2], vec![3, 4], vec![5]]);
    }

    #[test]
    fn a_wave_is_bounded_in_parts_and_in_recipients() {
        let parts =
            |users: &[&str]| users.iter().zip(1..).map(|(user, key)| part(key, user, &[user])).collect();
        let four = ["ada", "bob", "eve", "ivy"];
        assert_eq!(keys(parts(&four), 100), [vec![1, 2, 3], vec![4]]);
        assert_eq!(keys(parts(&four), 2), [vec![1, 2], vec![3, 4]]);
        assert_eq!(keys(parts(&four), 0), [vec![1], vec![2], vec![3], vec![4]]);
    }
}
