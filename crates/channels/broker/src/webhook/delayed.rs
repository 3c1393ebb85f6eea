use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use super::Occurrence;
use super::occurrence::Who;

/// Departures that wait for the return that undoes them, found by who departed.
#[derive(Debug, Default)]
pub(super) struct Departures {
    /// By their numbers, the first first, with the time until which they wait.
    waiting: BTreeMap<u64, (Instant, Occurrence)>,
    numbers: HashMap<Who, u64>,
    last: u64,
}

impl Departures {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds one that waits no shorter than those before it.
    pub(super) fn add(&mut self, who: Who, until: Instant, departure: Occurrence) {
        self.last += 1;
        self.numbers.insert(who, self.last);
        self.waiting.insert(self.last, (until, departure));
    }

    /// Takes out the departure of who came back, if it waits.
    pub(super) fn undo(&mut self, who: &Who) -> Option<Occurrence> {
        let number = self.numbers.remove(who)?;
        self.waiting.remove(&number).map(|(_, departure)| departure)
    }

    /// Until when the first one waits.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, (until, _))| *until)
    }

    /// Takes out the first one that waited long enough.
    pub(super) fn take(&mut self, now: Instant) -> Option<Occurrence> {
        let first = self.waiting.first_entry().filter(|first| first.get().0 <= now)?;
        let (number, (_, departure)) = first.remove_entry();
        if let Some(who) = departure.who().filter(|who| self.numbers.get(who) == Some(&number)) {
            self.numbers.remove(&who);
        }
        Some(departure)
    }
}
