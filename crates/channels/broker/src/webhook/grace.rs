use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::event::Subject;
use super::{Queue, WebhookEvent};
use crate::limits::Limits;
use crate::timers::MAX_WAIT;

/// Passes events on to the queues of the destinations. Departures are held back for the grace
/// period, and a return in that time cancels them.
///
/// No departure is dropped. At most as many are held back as the registry may have subscriptions
/// and members; beyond that, the oldest is passed on early.
#[derive(Debug, Default)]
pub(super) struct Grace {
    departures: Mutex<Departures>,
    changed: Notify,
    queues: Vec<Arc<Queue>>,
    period: Duration,
    capacity: usize,
}

/// The departures that one call passes on while others wait for the lock.
const RELEASED_AT_ONCE: usize = 64;

impl Grace {
    pub(super) fn new(queues: Vec<Arc<Queue>>, limits: &Limits) -> Self {
        let connections = limits.connections.min(limits.connection_quota.unwrap_or(usize::MAX));
        // A subscription may end a channel and a membership.
        let capacity = connections.saturating_mul(limits.subscriptions).saturating_mul(2).max(1);
        let period = limits.webhook_grace.min(MAX_WAIT);
        Self { queues, period, capacity, ..Self::default() }
    }

    /// Returns the queues of the destinations.
    pub(super) fn queues(&self) -> &[Arc<Queue>] {
        &self.queues
    }

    /// Passes an event on, at once or after its grace period.
    pub(super) fn push(&self, event: WebhookEvent) {
        let now = Instant::now();
        let mut departures = self.lock();
        self.release_due(&mut departures, now);
        if event.is_departure() {
            let overflow = (departures.len() >= self.capacity).then(|| departures.pop_first()).flatten();
            overflow.into_iter().for_each(|oldest| self.pass_on(oldest));
            if departures.is_empty() {
                self.changed.notify_one();
            }
            departures.push(now + self.period, event);
            return;
        }
        match event.subject().and_then(|subject| departures.remove(&subject)) {
            Some((due, _)) if due > now => return,
            Some((_, departure)) => self.pass_on(departure),
            None => {}
        }
        self.pass_on(event);
    }

    /// Passes departures on when they are due, for ever.
    pub(super) async fn run(&self) {
        loop {
            let now = Instant::now();
            let next_due = {
                let mut departures = self.lock();
                self.release_due(&mut departures, now);
                departures.next_due()
            };
            match next_due {
                None => self.changed.notified().await,
                // Let others have the lock.
                Some(due) if due <= now => yield_now().await,
                Some(due) => sleep_until(due).await,
            }
        }
    }

    fn release_due(&self, departures: &mut Departures, now: Instant) {
        for _ in 0..RELEASED_AT_ONCE {
            let Some(departure) = departures.pop_due(now) else { return };
            self.pass_on(departure);
        }
    }

    fn pass_on(&self, event: WebhookEvent) {
        self.queues.iter().for_each(|queue| queue.push(event.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, Departures> {
        self.departures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Departures in the order of their due times.
#[derive(Debug, Default)]
struct Departures {
    waiting: BTreeMap<u64, (Instant, WebhookEvent)>,
    numbers: BTreeMap<Subject, u64>,
    last: u64,
}

impl Departures {
    fn len(&self) -> usize {
        self.waiting.len()
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a departure that is due no earlier than those before it.
    fn push(&mut self, due: Instant, departure: WebhookEvent) {
        self.last += 1;
        self.numbers.extend(departure.subject().map(|subject| (subject, self.last)));
        self.waiting.insert(self.last, (due, departure));
    }

    /// Removes and returns the subject's departure and when it is due, if one waits.
    fn remove(&mut self, subject: &Subject) -> Option<(Instant, WebhookEvent)> {
        let number = self.numbers.remove(subject)?;
        self.waiting.remove(&number)
    }

    /// Returns when the first departure is due.
    fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(_, (due, _))| *due)
    }

    /// Removes and returns the first departure if it is due.
    fn pop_due(&mut self, now: Instant) -> Option<WebhookEvent> {
        self.next_due().filter(|due| *due <= now)?;
        self.pop_first()
    }

    fn pop_first(&mut self) -> Option<WebhookEvent> {
        let (_, (_, departure)) = self.waiting.pop_first()?;
        departure.subject().and_then(|subject| self.numbers.remove(&subject));
        Some(departure)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::webhook::filter::Filter;
    use crate::webhook::size::Size;

    const ALL: Size = Size { events: 10, bytes: usize::MAX };

    fn grace(connections: usize) -> Grace {
        let queue = Queue::new(ALL, Filter::default(), Arc::default());
        let limits = Limits { connections, subscriptions: 1, ..Limits::default() };
        Grace::new(vec![Arc::new(queue)], &limits)
    }

    fn occupied(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_vacated(&channel.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_return_after_the_grace_period_follows_the_departure() {
        let grace = grace(10);
        grace.push(vacated("a"));
        advance(Duration::from_secs(3)).await;
        grace.push(occupied("a"));
        grace.push(occupied("b"));
        assert_eq!(grace.queues[0].take(ALL).await, [vacated("a"), occupied("a"), occupied("b")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_departure_gets_a_grace_period_again() {
        let grace = grace(10);
        for event in [vacated("a"), vacated("b"), occupied("a"), vacated("a")] {
            grace.push(event);
            advance(Duration::from_secs(1)).await;
        }
        grace.push(occupied("a"));
        grace.push(occupied("c"));
        assert_eq!(grace.queues[0].take(ALL).await, [vacated("b"), occupied("c")]);
    }

    #[tokio::test(start_paused = true)]
    async fn more_departures_than_the_registry_may_hold_are_early_but_not_lost() {
        let grace = grace(1);
        ["a", "b", "c"].into_iter().for_each(|channel| grace.push(vacated(channel)));
        assert_eq!(grace.queues[0].take(ALL).await, [vacated("a")]);
        assert_eq!(grace.lock().len(), 2);
    }
}
