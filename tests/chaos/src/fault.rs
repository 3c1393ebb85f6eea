use crate::database::Database;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::time::Duration;

/// What happens to programs and files, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NodeKilled,
    AllNodesKilled,
    EngineKilled,
    PostgresStopped,
    /// By the command for that, while the server runs.
    DatabaseBackedUp,
    /// A kill, and the backup in the file's place before the start.
    DatabaseRestored,
}

/// What happens to connections, beside the other faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineFault {
    Cut,
    /// Nothing comes through. What was sent meanwhile comes late, or is lost with its connection.
    Blackholed,
    Slowed,
    /// Single events do not arrive on connections that live on.
    EventsLost,
}

impl Fault {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeKilled => "node killed",
            Self::AllNodesKilled => "all nodes killed",
            Self::EngineKilled => "broker killed",
            Self::PostgresStopped => "PostgreSQL stopped",
            Self::DatabaseBackedUp => "database backed up",
            Self::DatabaseRestored => "node killed, database restored",
        }
    }

    /// Those that can happen there, as often as they should.
    pub(crate) fn of(database: &Database, nodes: usize, has_engine: bool) -> Vec<Self> {
        let mut faults = vec![Self::NodeKilled; 3];
        faults.extend((nodes > 1).then_some(Self::AllNodesKilled));
        faults.extend(has_engine.then_some(Self::EngineKilled));
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

impl LineFault {
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

/// Draws all of them in a random order, again and again: each comes about as often as it should also in a short run.
pub(crate) struct Bag<T> {
    all: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Bag<T> {
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

/// A random time of so many milliseconds.
pub(crate) fn millis(rng: &mut impl Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.random_range(range))
}
