//! Compares each database with the memory store under random commands.
//!
//! Both must give the same answers and have the same contents. Tags differ, so they are compared by
//! the seq that they belong to.

mod commands;
mod observed;

use internal_notifications_models::{NotificationId, UserId};
use internal_notifications_store::{Push, StoreError, Write};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::backend::Backend;
use crate::fixture::{Fixture, at, user};

use self::commands::{Command, any};
use self::observed::{Observed, plain_head};

const USERS: [&str; 3] = ["ada", "bob", "eve"];

/// A store, and what its readers have seen.
struct Side {
    on: Backend,
    fixture: Fixture,
    observed: Observed,
}

impl Side {
    async fn new(on: Backend) -> Self {
        Self { on, fixture: Fixture::new(on).await, observed: Observed::default() }
    }

    /// Executes a command, and returns the comparable part of its answers.
    async fn run(&mut self, command: &Command) -> String {
        let store = &self.fixture.store;
        match command.clone() {
            Command::Push(pushes) => {
                // Concurrent pushes share a transaction on an ordered store; elsewhere their order
                // is undefined.
                let answers = match self.on.is_ordered() {
                    true => {
                        futures_util::future::join_all(pushes.into_iter().map(|push| store.push(push))).await
                    }
                    false => {
                        let mut answers = Vec::new();
                        for push in pushes {
                            answers.push(store.push(push).await);
                        }
                        answers
                    }
                };
                format!("{:?}", answers.into_iter().map(|answer| answer.map_err(plain)).collect::<Vec<_>>())
            }
            Command::Write { user, kind, op, at, seen } => {
                let kind = kind.at(seen.map(|seen| self.observed.position(&user, seen)));
                let answer = store.write(&user, Write::new(kind, at).with_op(op)).await;
                let answer = answer.map(|answer| (answer.seq, plain_head(answer.head)));
                format!("{:?}", answer.map_err(plain))
            }
            Command::Retract(id, at) => format!("{:?}", store.retract(&id, at).await.map_err(plain)),
            Command::Advance(now, limit) => format!("{:?}", self.fixture.advance(now, limit).await),
            Command::Sweep(now, keep, inboxes) => {
                format!("{:?}", self.fixture.sweep(now, keep, inboxes).await)
            }
            Command::Publish(marks) => {
                let unpublished = self.observed.unpublished(&self.fixture, &marks).await;
                self.fixture.store.mark_published(&marks).await.unwrap();
                let mut behind = self.fixture.store.unpublished_users(10).await.unwrap();
                behind.sort();
                format!("{unpublished:?} {behind:?}")
            }
            Command::Reopen => {
                self.fixture.reopen().await;
                String::new()
            }
        }
    }

    async fn read(&mut self, read: &Read) -> String {
        let head = plain_head(self.fixture.store.head(&read.user).await.unwrap());
        let new = self.observed.follow(&self.fixture, &read.user).await;
        let page = self.fixture.store.page(&read.user, read.limit, read.before).await.unwrap();
        let one = self.fixture.store.notification(&read.user, &read.id).await.unwrap();
        let after = self.observed.position(&read.user, read.after);
        let changes = self.fixture.store.changes(&read.user, after, read.limit).await.unwrap();
        format!(
            "{head:?}\n{new:?}\n{:?}\n{one:?}\n{:?}",
            observed::plain_page(page),
            observed::plain_answer(changes)
        )
    }
}

/// The reads after each command.
struct Read {
    user: UserId,
    limit: usize,
    before: Option<u64>,
    id: NotificationId,
    after: Seen,
}

/// A position as a client might send it: a seq with the right tag, a wrong one, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    seq: u64,
    tag: Option<bool>,
}

fn plain(error: StoreError) -> String {
    format!("{:?} {:?}", error.kind(), error.head().map(plain_head))
}

fn any_seen(random: &mut StdRng, head: u64) -> Seen {
    let tag = match random.random_range(0..10) {
        0 => Some(false),
        1 => None,
        _ => Some(true),
    };
    Seen { seq: random.random_range(0..head + 3), tag }
}

fn any_users(random: &mut StdRng) -> Vec<UserId> {
    let count = random.random_range(1..=USERS.len());
    USERS.sample(random, count).map(|name| user(name)).collect()
}

async fn compare(on: Backend, seed: u64, steps: u32) {
    let mut random = StdRng::seed_from_u64(seed);
    let (mut database, mut rules) = (Side::new(on).await, Side::new(on.in_memory()).await);
    let mut now = at(0);
    let mut pushed: Vec<Push> = Vec::new();
    // Creates the inboxes in the order of their users, which is the order of withdrawals in memory.
    for side in [&database, &rules] {
        side.fixture.push("first", &USERS).await;
    }
    for step in 0..steps {
        now += std::time::Duration::from_millis(random.random_range(0..40_000));
        let heads = USERS.map(|name| rules.observed.head(&user(name)));
        let command = any(&mut random, now, heads, &mut pushed);
        let context = format!("seed {seed}, step {step}: {command:?}");
        let (answer, expected) = (database.run(&command).await, rules.run(&command).await);
        assert_eq!(answer, expected, "{context}");
        for (place, name) in USERS.iter().enumerate() {
            let head = heads[place];
            let read = Read {
                user: user(name),
                limit: random.random_range(1..9),
                before: random.random_bool(0.7).then(|| random.random_range(0..head + 3)),
                id: commands::any_id(&mut random),
                after: any_seen(&mut random, head),
            };
            assert_eq!(database.read(&read).await, rules.read(&read).await, "{context}: {name}");
        }
    }
}

async fn random_commands_get_the_same_answers_as_from_the_memory_store(on: Backend) {
    for seed in 0..6 {
        compare(on, seed, 100).await;
    }
}

on_every_database!(random_commands_get_the_same_answers_as_from_the_memory_store);
