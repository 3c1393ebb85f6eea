use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use internal_notifications_models::{InboxPage, UserId};
use internal_notifications_server::store::Store;
use internal_notifications_server::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use internal_notifications_service::Snapshot;
use tokio::sync::watch;

use crate::bug::Bug;
use crate::clock::{SimulatedClock, now};
use crate::intents::Intent;
use crate::plan::{DEVICES, Plan};
use crate::trace::Trace;

/// What outlives the hosts of a simulation: the plan, the disks, and what was seen.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    pub(crate) bug: Option<Bug>,
    pub(crate) trace: Trace,
    /// The server's disk, and the last copy of it with its time.
    data: Mutex<MemoryData>,
    copy: Mutex<Option<(Duration, MemoryData)>>,
    seen: Mutex<Seen>,
    /// By device: what resets its connections.
    pub(crate) resets: BTreeMap<&'static str, watch::Sender<()>>,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// When the database was set back, and to the copy of when.
    pub(crate) restored: Vec<(Duration, Duration)>,
    /// User and id of what somebody wanted to be gone.
    pub(crate) unwanted: BTreeSet<(String, String)>,
    /// The app's table of intents, in the order of their commits.
    pub(crate) intents: Vec<Intent>,
    pub(crate) views: BTreeMap<&'static str, View>,
    pub(crate) published: BTreeMap<String, Published>,
    /// By user: how many live events are still to be lost.
    pub(crate) to_lose: BTreeMap<String, usize>,
    /// What must never be, as it happened.
    pub(crate) problems: Vec<String>,
    /// How often hosts were started.
    pub(crate) starts: BTreeMap<&'static str, u64>,
}

/// An answer of the server's that promises that a notification is stored for a user.
pub(crate) struct Acknowledged {
    pub(crate) user: String,
    pub(crate) id: String,
    pub(crate) asked: Duration,
    pub(crate) answered: Duration,
}

/// What a device shows, and has announced, since its app was started.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    /// The head of its first snapshot; none before.
    pub(crate) began: Option<u64>,
    pub(crate) announced: BTreeSet<String>,
    pub(crate) last_announced: u64,
    pub(crate) skipped: bool,
    pub(crate) crashed: bool,
}

/// What was handed to a user's channel.
#[derive(Clone, Default)]
pub(crate) struct Published {
    /// Seqs since the database was last set back.
    pub(crate) seqs: BTreeSet<u64>,
    /// The newest since the server was started.
    pub(crate) newest: u64,
}

impl World {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let resets = DEVICES.iter().map(|(_, device)| (*device, watch::Sender::new(()))).collect();
        let (plan, trace, seen) = (Plan::of(seed), Trace::default(), Mutex::default());
        let data = Mutex::new(MemoryData::new(Arc::new(SimulatedClock)));
        Self { seed, plan, bug, trace, data, copy: Mutex::default(), seen, resets }
    }

    /// The server's disk.
    pub(crate) fn data(&self) -> MemoryData {
        self.data.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Copies the server's disk.
    pub(crate) fn copy(&self, at: Duration) {
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, self.data().copy()));
    }

    /// Sets the server's disk back to its last copy, if there is one.
    pub(crate) fn restore(&self, at: Duration) {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((copied, copy)) = &*copy else { return };
        *self.data.lock().unwrap_or_else(PoisonError::into_inner) = copy.copy();
        let mut seen = self.seen();
        seen.restored.push((at, *copied));
        seen.published.clear();
    }

    /// What the server has of a user.
    pub(crate) fn page(&self, user: &str) -> InboxPage {
        let store = MemoryStore::open(self.data(), MemoryOptions::default());
        let page = UserId::new(user).ok().and_then(|user| store.page(&user, 200, None).now_or_never());
        page.and_then(Result::ok).unwrap_or_default()
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a host does now.
    pub(crate) fn note(&self, who: &str, what: impl Display) {
        self.trace.note(now(), who, what);
    }

    /// A host starts; gives a number for its random numbers that no other start has.
    pub(crate) fn started(&self, host: &'static str) -> u64 {
        let mut seen = self.seen();
        let start = seen.starts.entry(host).or_default();
        *start += 1;
        let name: u64 = host.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ name.wrapping_mul(1_000_003) ^ *start
    }
}

impl Seen {
    pub(crate) fn problem(&mut self, at: Duration, what: impl Display) {
        self.problems.push(format!("{:.3} {what}", at.as_secs_f64()));
    }

    /// What must be in inboxes: acknowledged, and not undone by a restored copy.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &Acknowledged> {
        self.acknowledged.iter().filter(|acknowledged| {
            let survives = |(at, copied): &(Duration, Duration)| {
                acknowledged.answered <= *copied || acknowledged.asked >= *at
            };
            self.restored.iter().all(survives)
        })
    }
}
