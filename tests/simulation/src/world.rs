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

/// The state that survives the hosts' crashes: the plan, the disks, and the observations.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) plan: Plan,
    pub(crate) bug: Option<Bug>,
    pub(crate) trace: Trace,
    /// The server's disk.
    data: Mutex<MemoryData>,
    /// The last copy of the server's disk, with its time.
    copy: Mutex<Option<(Duration, MemoryData)>>,
    seen: Mutex<Seen>,
    /// Resets a device's connections.
    pub(crate) resets: BTreeMap<&'static str, watch::Sender<()>>,
}

/// The observations so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// When the database was restored, and the time of the copy.
    pub(crate) restored: Vec<(Duration, Duration)>,
    /// User and id of the notifications that somebody removed or retracted.
    pub(crate) unwanted: BTreeSet<(String, String)>,
    /// The app's outbox table, in the order of the commits.
    pub(crate) intents: Vec<Intent>,
    pub(crate) views: BTreeMap<&'static str, View>,
    /// The record of each device's inbox on its disk.
    pub(crate) kept: BTreeMap<&'static str, Vec<u8>>,
    /// User and id of the notifications whose opening a device has reported as queued or stored.
    pub(crate) marked: BTreeSet<(String, String)>,
    pub(crate) published: BTreeMap<String, Published>,
    /// The number of live events that are still to be lost, by user.
    pub(crate) to_lose: BTreeMap<String, usize>,
    /// Broken promises, described.
    pub(crate) problems: Vec<String>,
    /// How often each host was started.
    pub(crate) starts: BTreeMap<&'static str, u64>,
}

/// The server's acknowledgement that a notification is stored for a user.
pub(crate) struct Acknowledged {
    pub(crate) user: String,
    pub(crate) id: String,
    pub(crate) sent: Duration,
    pub(crate) answered: Duration,
}

/// The list that a device shows, and its announcements, also before its app crashed.
#[derive(Clone, Default)]
pub(crate) struct View {
    pub(crate) snapshot: Snapshot,
    /// The seq of its very first snapshot, once there is one.
    pub(crate) first_seq: Option<u64>,
    pub(crate) announced: BTreeSet<String>,
    pub(crate) last_announced: u64,
    pub(crate) skipped: bool,
    pub(crate) crashed: bool,
}

/// The events published on a user's channel.
#[derive(Clone, Default)]
pub(crate) struct Published {
    /// The seqs since the last restore of the database.
    pub(crate) seqs: BTreeSet<u64>,
    /// The newest seq since the server started.
    pub(crate) newest: u64,
}

impl World {
    pub(crate) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let resets = DEVICES.iter().map(|(_, device)| (*device, watch::Sender::new(()))).collect();
        let (plan, trace, seen) = (Plan::from_seed(seed), Trace::default(), Mutex::default());
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

    /// Restores the server's disk from its last copy, if there is one.
    pub(crate) fn restore(&self, at: Duration) {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((copied, copy)) = &*copy else { return };
        *self.data.lock().unwrap_or_else(PoisonError::into_inner) = copy.copy();
        let mut seen = self.seen();
        seen.restored.push((at, *copied));
        seen.published.clear();
    }

    /// Returns the newest notifications of a user on the server.
    pub(crate) fn page(&self, user: &str) -> InboxPage {
        let store = MemoryStore::open(self.data(), MemoryOptions::default());
        let page = UserId::new(user).ok().and_then(|user| store.page(&user, 200, None).now_or_never());
        page.and_then(Result::ok).unwrap_or_default()
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line to the trace.
    pub(crate) fn note(&self, who: &str, what: impl Display) {
        self.trace.note(now(), who, what);
    }

    /// Counts a start of a host, and returns a seed for its random numbers that no other start has.
    pub(crate) fn start_host(&self, host: &'static str) -> u64 {
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

    /// Returns the acknowledgements that no restore can have undone.
    pub(crate) fn expected(&self) -> impl Iterator<Item = &Acknowledged> {
        self.acknowledged.iter().filter(|acknowledged| {
            let survives = |(at, copied): &(Duration, Duration)| {
                acknowledged.answered <= *copied || acknowledged.sent >= *at
            };
            self.restored.iter().all(survives)
        })
    }
}
