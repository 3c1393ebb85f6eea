//! The store beside the pure rules: whatever the sequence of commands, both answer the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use internal_notifications_models::{
    Change, InternalNotification, NotificationId, OpId, Position, Receipt, Tag, UserId,
};
use internal_notifications_server::store::sqlite::SqliteOptions;
use internal_notifications_server::store::{Push, Store, StoreErrorKind, Unpublishable, Write, WriteKind};
use internal_notifications_service::{InboxLog, Refused};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::bench_store::{Bench, at, id, user};

const USERS: [&str; 3] = ["ada", "bob", "eve"];

/// The rules over several inboxes: what a store adds to `InboxLog` is that an id is one notification of the server.
#[derive(Default)]
struct Model {
    inboxes: BTreeMap<UserId, InboxLog>,
    notifications: BTreeMap<NotificationId, (String, InternalNotification)>,
    tags: u64,
}

impl Model {
    fn push(&mut self, push: &Push) -> Result<Receipt, StoreErrorKind> {
        let body = (push.sender.clone(), push.notification.clone());
        if *self.notifications.entry(push.id.clone()).or_insert_with(|| body.clone()) != body {
            return Err(StoreErrorKind::IdTaken);
        }
        let mut users = push.user_ids.clone();
        users.sort();
        let mut receipt = Receipt { id: push.id.clone(), accepted: 0, duplicates: 0, scheduled: 0 };
        for user in users {
            let inbox = self.inboxes.entry(user).or_default();
            let tag = Tag::from_bits(self.tags);
            match inbox.add(&push.id, &push.notification, &push.sender, push.at, tag) {
                Some(_) => {
                    self.tags += 1;
                    receipt.accepted += 1;
                }
                None => receipt.duplicates += 1,
            }
        }
        Ok(receipt)
    }

    fn inbox(&mut self, user: &UserId) -> &mut InboxLog {
        self.inboxes.entry(user.clone()).or_default()
    }
}

fn any_id(random: &mut StdRng) -> NotificationId {
    id(&format!("n{}", random.random_range(0..25)))
}

fn any_push(random: &mut StdRng, step: i64) -> Push {
    let id = any_id(random);
    // Mostly what the id stands for, at times another body or sender.
    let content = if random.random_bool(0.05) { "other".to_owned() } else { format!("about {id}") };
    let sender = if random.random_bool(0.05) { "user:mallory" } else { "key:shop" }.to_owned();
    let count = random.random_range(1..=USERS.len());
    let user_ids = USERS.sample(random, count).map(|name| user(name)).collect();
    Push {
        sender,
        idempotency: None,
        id,
        notification: InternalNotification::new(content),
        user_ids,
        at: at(step),
    }
}

fn any_write(random: &mut StdRng, log: &InboxLog, step: i64) -> Write {
    let ids = |random: &mut StdRng| (0..random.random_range(0..6)).map(|_| any_id(random)).collect();
    let kind = match random.random_range(0..10) {
        0..4 => WriteKind::Opened(ids(random)),
        4..6 => WriteKind::Unopened(ids(random)),
        6..8 => WriteKind::Remove(any_id(random)),
        _ => {
            let after = any_position(random, log);
            let through = random.random_bool(0.7).then_some(after.seq);
            WriteKind::OpenedAll {
                through,
                tag: after.tag.filter(|_| through.is_some() && random.random_bool(0.7)),
            }
        }
    };
    let op = random.random_bool(0.4).then(|| OpId::new(format!("op{}", random.random_range(0..40))).unwrap());
    Write { kind, op, at: at(step) }
}

/// Mostly a position of the log; at times one with another tag, or beyond the head.
fn any_position(random: &mut StdRng, log: &InboxLog) -> Position {
    let head = log.head().position.seq;
    let seq = random.random_range(0..head + 3);
    let told = log.changes(Position::default(), usize::MAX, 0);
    let internal_notifications_models::ChangesAnswer::Changes { changes, .. } = told else { panic!() };
    let tag_of = |change: &Change| (change.stamp.seq == seq).then_some(change.stamp.tag);
    let tag = match random.random_range(0..10) {
        0 => Some(Tag::from_bits(u64::MAX)),
        1 => None,
        _ => changes.iter().find_map(tag_of),
    };
    Position { seq, tag }
}

async fn compare(seed: u64, steps: i64) {
    let mut random = StdRng::seed_from_u64(seed);
    let tags = Arc::new(AtomicU64::new(0));
    let source = tags.clone();
    let options =
        SqliteOptions::default().with_tags(move || Tag::from_bits(source.fetch_add(1, Ordering::Relaxed)));
    let bench = Bench::with(options).await;
    let mut model = Model::default();
    for step in 0..steps {
        let what = format!("seed {seed}, step {step}");
        if random.random_bool(0.4) {
            // Several at once share a transaction; the rules take them one after the other.
            let pushes: Vec<_> =
                (0..random.random_range(1..5)).map(|_| any_push(&mut random, step)).collect();
            let answers =
                futures_util::future::join_all(pushes.iter().map(|push| bench.store.push(push.clone())))
                    .await;
            for (push, answer) in pushes.iter().zip(answers) {
                assert_eq!(answer.map_err(|error| error.kind()), model.push(push), "{what}: {push:?}");
            }
        } else {
            let user = user(USERS.choose(&mut random).unwrap());
            let write = any_write(&mut random, model.inbox(&user), step);
            let answer = bench.store.write(&user, write.clone()).await;
            let tag = Tag::from_bits(model.tags);
            let inbox = model.inbox(&user);
            let head = inbox.head();
            let expected = inbox.write(&write.kind, write.op.as_ref(), write.at, tag);
            match (answer, expected) {
                (Ok(answer), Ok(expected)) => {
                    assert_eq!(answer, expected, "{what}: {write:?}");
                    model.tags += u64::from(expected.seq.is_some());
                }
                (Err(error), Err(refused)) => {
                    let kind = match refused {
                        Refused::Unknown => StoreErrorKind::Unknown,
                        _ => StoreErrorKind::Diverged,
                    };
                    assert_eq!((error.kind(), error.head()), (kind, Some(head)), "{what}: {write:?}");
                }
                (answer, expected) => panic!("{what}: {write:?}: {answer:?}, but by the rules {expected:?}"),
            }
        }
        assert_eq!(tags.load(Ordering::Relaxed), model.tags, "{what}");
        read_both(&mut random, &bench, &mut model, &what).await;
    }
    counts_are_exact(&bench).await;
    the_whole_log_is_unpublished(&bench, &mut model).await;
}

async fn read_both(random: &mut StdRng, bench: &Bench, model: &mut Model, what: &str) {
    let user = user(USERS.choose(random).unwrap());
    let inbox = model.inbox(&user);
    assert_eq!(bench.store.head(&user).await.unwrap(), inbox.head(), "{what}");
    let limit = random.random_range(1..9);
    let before = random.random_bool(0.7).then(|| random.random_range(0..inbox.head().position.seq + 3));
    let page = bench.store.page(&user, limit, before).await.unwrap();
    assert_eq!(page, inbox.page(limit, before), "{what}: page {limit} {before:?}");
    let after = any_position(random, inbox);
    let changes = bench.store.changes(&user, after, limit).await.unwrap();
    assert_eq!(changes, inbox.changes(after, limit, 200), "{what}: changes {after:?} {limit}");
}

/// The counters beside what they count.
async fn counts_are_exact(bench: &Bench) {
    let sql = "SELECT count(*) FROM inboxes WHERE pending <>
               (SELECT count(*) FROM deliveries WHERE inbox = key AND opened_at IS NULL AND removed_at IS NULL)";
    let drift: i64 = sqlx::query_scalar(sql).fetch_one(&mut bench.stranger().await).await.unwrap();
    assert_eq!(drift, 0);
    let check: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut bench.stranger().await).await.unwrap();
    assert_eq!(check, "ok");
}

async fn the_whole_log_is_unpublished(bench: &Bench, model: &mut Model) {
    let users: Vec<_> = USERS.iter().map(|name| (user(name), 0)).collect();
    let most = Unpublishable { changes: usize::MAX, body: usize::MAX };
    for unpublished in bench.store.unpublished(&users, most).await.unwrap() {
        let (changes, _) = bench.changes(unpublished.user_id.as_str(), Position::default(), 10_000).await;
        assert_eq!(unpublished.changes, changes);
        assert_eq!(changes.len() as u64, model.inbox(&unpublished.user_id).head().position.seq);
    }
}

#[tokio::test]
async fn any_sequence_of_commands_is_answered_as_the_rules_answer_it() {
    for seed in 0..8 {
        compare(seed, 150).await;
    }
}
