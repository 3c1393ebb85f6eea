use crate::processes::database::Database;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::time::Duration;

/// A fault of processes and files. One happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcessFault {
    NodeKilled,
    AllNodesKilled,
    EngineKilled,
    /// The engine refuses every request with 401 for a while.
    EngineUnauthorized,
    /// One node's clock is wrong by so much that the engine refuses its requests.
    ClockFarOff,
    PostgresStopped,
    /// With the command `backup`, while the server runs.
    DatabaseBackedUp,
    /// The node is killed, and the backup replaces the database before the restart.
    DatabaseRestored,
}

/// A fault of connections. It happens at the same time as process faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    Cut,
    /// Nothing passes. The data arrives late or is lost with its connection.
    Blackholed,
    Slowed,
    /// Some events are lost on connections that stay open.
    EventsLost,
}

/// A fault beside which ordinary users must be served in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strain {
    /// One node's clock jumps ahead, then behind, then back.
    ClockJumped,
    EngineSlow,
    /// The engine refuses the events of one user's channel with 503.
    ChannelRefused,
    /// A notification in many inboxes expires.
    LargeExpiry,
    /// A notification that is scheduled for many inboxes is retracted.
    LargeRetraction,
}

impl ProcessFault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeKilled => "node killed",
            Self::AllNodesKilled => "all nodes killed",
            Self::EngineKilled => "broker killed",
            Self::EngineUnauthorized => "broker answers 401",
            Self::ClockFarOff => "clock far off",
            Self::PostgresStopped => "PostgreSQL stopped",
            Self::DatabaseBackedUp => "database backed up",
            Self::DatabaseRestored => "node killed, database restored",
        }
    }

    /// Returns the faults that are possible with this setup, each as often as its weight.
    pub(crate) fn weighted(
        database: &Database,
        nodes: usize,
        has_engine: bool,
        has_clocks: bool,
    ) -> Vec<Self> {
        let mut faults = vec![Self::NodeKilled; 3];
        faults.extend((nodes > 1).then_some(Self::AllNodesKilled));
        if has_engine {
            faults.extend([Self::EngineKilled, Self::EngineUnauthorized]);
            faults.extend(has_clocks.then_some(Self::ClockFarOff));
        }
        faults.extend(match database {
            Database::Sqlite(_) => {
                vec![Self::DatabaseBackedUp, Self::DatabaseBackedUp, Self::DatabaseRestored]
            }
            Database::Postgres(_) => vec![Self::PostgresStopped; 2],
            Database::Url(_) => vec![],
        });
        faults
    }
}

impl Strain {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClockJumped => "clock jumped",
            Self::EngineSlow => "broker slow",
            Self::ChannelRefused => "broker answers 503 for one channel",
            Self::LargeExpiry => "large expiry",
            Self::LargeRetraction => "large schedule retracted",
        }
    }

    /// Returns those that are possible with this setup.
    pub(crate) fn possible(has_engine: bool, has_clocks: bool) -> Vec<Self> {
        let mut strains = vec![Self::LargeExpiry, Self::LargeRetraction];
        strains.extend(has_clocks.then_some(Self::ClockJumped));
        if has_engine {
            strains.extend([Self::EngineSlow, Self::ChannelRefused]);
        }
        strains
    }
}

impl NetworkFault {
    pub(crate) const ALL: [Self; 4] = [Self::Cut, Self::Blackholed, Self::Slowed, Self::EventsLost];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cut => "connections cut",
            Self::Blackholed => "connections blackholed",
            Self::Slowed => "connections slowed",
            Self::EventsLost => "events lost",
        }
    }
}

/// Draws all items in random order, again and again, so that the frequencies are right even in a
/// short run.
pub(crate) struct ShuffleBag<T> {
    all: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> ShuffleBag<T> {
    pub(crate) fn new(all: Vec<T>) -> Self {
        Self { all, left: Vec::new() }
    }

    pub(crate) fn draw(&mut self, rng: &mut StdRng) -> Option<T> {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
            self.left.shuffle(rng);
        }
        self.left.pop()
    }
}

/// Returns a random duration in a range of milliseconds.
pub(crate) fn random_millis(rng: &mut impl Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.random_range(range))
}
