use internal_notifications_models::{NotificationId, OpId, Position, PushRequest, Timestamp, UserId};
use internal_notifications_store::{IdempotencyKey, InboxCommand, Push, Retention};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use std::time::Duration;

use super::{Seen, USERS, any_seen, any_users};
use crate::fixture::{at, id, push, push_at, user};

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Push(Vec<Push>),
    Write { user: UserId, kind: Kind, op: Option<OpId>, at: Timestamp, seen: Option<Seen> },
    Retract(NotificationId, Timestamp),
    Advance(Timestamp, usize),
    Sweep(Timestamp, Retention, usize),
    Publish(Vec<(UserId, u64)>),
    Reopen,
}

/// A write whose position is filled in for each store.
#[derive(Clone, Debug)]
pub(crate) struct Kind(InboxCommand);

impl Kind {
    pub(crate) fn at(self, seen: Option<Position>) -> InboxCommand {
        match (self.0, seen) {
            (InboxCommand::OpenedAll { .. }, Some(seen)) => {
                InboxCommand::OpenedAll { through: Some(seen.seq), tag: seen.tag }
            }
            (kind, _) => kind,
        }
    }
}

/// The number of ids. A notification's number determines when it is due and when it expires, so
/// that the same id is mostly the same notification.
const IDS: i64 = 40;

pub(crate) fn any_id(random: &mut StdRng) -> NotificationId {
    id(&format!("n{}", random.random_range(0..IDS)))
}

fn any_push(random: &mut StdRng, now: Timestamp) -> Push {
    let number = random.random_range(0..IDS);
    let mut push = push(&format!("n{number}"), &[]);
    push.user_ids = any_users(random);
    push.at = now;
    if random.random_bool(0.03) {
        push.notification.content = "other".to_owned();
    }
    if random.random_bool(0.03) {
        push.sender = "user:mallory".to_owned();
    }
    if number % 3 == 0 {
        push.notification.send_after = Some(at(number * 70));
    }
    if number % 4 == 0 {
        push.notification.expires_at = Some(at(number * 70 + 400));
    }
    if random.random_bool(0.4) {
        let key = format!("k{}", random.random_range(0..25));
        let request = PushRequest::new(push.user_ids.clone(), push.notification.clone());
        push.idempotency_key = IdempotencyKey::new(&key, &request);
    }
    push
}

/// Returns a random command.
pub(crate) fn any(random: &mut StdRng, now: Timestamp, heads: [u64; 3], pushed: &mut Vec<Push>) -> Command {
    match random.random_range(0..100) {
        0..35 => {
            let mut pushes: Vec<_> = (0..random.random_range(1..4)).map(|_| any_push(random, now)).collect();
            if random.random_bool(0.3)
                && let Some(before) = pushed.choose(random)
            {
                pushes.push(push_at(now, before.clone()));
            }
            pushed.extend(pushes.clone());
            Command::Push(pushes)
        }
        35..65 => any_write(random, now, heads),
        65..69 => Command::Retract(any_id(random), now),
        69..84 => Command::Advance(now, random.random_range(1..6)),
        84..90 => Command::Sweep(now, any_retention(random), random.random_range(1..4)),
        90..98 => {
            let users = any_users(random);
            let seqs = users.into_iter().map(|user| {
                let head =
                    USERS.iter().position(|name| *name == user.as_str()).map_or(0, |place| heads[place]);
                (user, random.random_range(0..head + 2))
            });
            Command::Publish(seqs.collect())
        }
        _ => Command::Reopen,
    }
}

fn any_write(random: &mut StdRng, now: Timestamp, heads: [u64; 3]) -> Command {
    let place = random.random_range(0..USERS.len());
    let ids = |random: &mut StdRng| (0..random.random_range(0..6)).map(|_| any_id(random)).collect();
    let mut seen = None;
    let kind = match random.random_range(0..10) {
        0..4 => InboxCommand::Opened(ids(random)),
        4..6 => InboxCommand::Unopened(ids(random)),
        6..8 => InboxCommand::Remove(any_id(random)),
        _ => {
            seen = random.random_bool(0.7).then(|| any_seen(random, heads[place]));
            InboxCommand::OpenedAll { through: None, tag: None }
        }
    };
    let op = random.random_bool(0.4).then(|| OpId::new(format!("op{}", random.random_range(0..40))).unwrap());
    Command::Write { user: user(USERS[place]), kind: Kind(kind), op, at: now, seen }
}

fn any_retention(random: &mut StdRng) -> Retention {
    let mut keep = Retention::default();
    keep.age = random.random_bool(0.5).then_some(Duration::from_secs(1_200));
    keep.count = random.random_bool(0.5).then_some(8);
    keep.log_age = random.random_bool(0.5).then_some(Duration::from_secs(600));
    keep.log_count = random.random_bool(0.5).then_some(15);
    keep.ids = Duration::from_secs(400);
    keep.keys = Duration::from_secs(500);
    keep
}
