use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use super::WebhookEvent;
use super::event::Subject;

/// Departures that are held back for a while, since a return of the same subject cancels them.
#[derive(Debug, Default)]
pub(super) struct DelayedEvents {
    /// By number, in the order of their due times.
    waiting: BTreeMap<u64, (Instant, WebhookEvent)>,
    numbers: HashMap<Subject, u64>,
    last: u64,
}

impl DelayedEvents {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a departure that is due no earlier than those before it.
    pub(super) fn push(&mut self, subject: Subject, due: Instant, departure: WebhookEvent) {
        self.last += 1;
        self.numbers.insert(subject, self.last);
        self.waiting.insert(self.last, (due, departure));
    }

    /// Removes and returns the subject's departure, if one waits.
    pub(super) fn cancel(&mut self, subject: &Subject) -> Option<WebhookEvent> {
        let number = self.numbers.remove(subject)?;
        self.waiting.remove(&number).map(|(_, departure)| departure)
    }

    /// Returns when the first departure is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, (due, _))| *due)
    }

    /// Removes and returns the first departure if it is due.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<WebhookEvent> {
        let first = self.waiting.first_entry().filter(|first| first.get().0 <= now)?;
        let (number, (_, departure)) = first.remove_entry();
        let subject = departure.subject();
        if let Some(subject) = subject.filter(|subject| self.numbers.get(subject) == Some(&number)) {
            self.numbers.remove(&subject);
        }
        Some(departure)
    }
}
