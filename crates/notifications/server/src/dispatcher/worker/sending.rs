use std::time::Duration;

use futures_util::FutureExt;
use internal_notifications_models::UserId;
use tokio::time::Instant;

use super::{Event, PATIENCE, REQUEST_BYTES, Worker};
use crate::dispatcher::request::{Inbox, InboxEvents, Outcome, Request};
use crate::realtime::{RealtimeError, RealtimeErrorKind};

/// How long a request to the engine may take.
const LIMIT: Duration = Duration::from_secs(4);
/// A claimed inbox that waited until this close to its deadline is claimed again.
const LATE: Duration = Duration::from_secs(1);
/// The fewest bytes to which the size of requests for several inboxes is reduced: what every engine
/// accepts.
const FEWEST_REQUEST_BYTES: usize = 8 << 10;
/// By how much the size is raised after each request for several inboxes that the engine took.
const MORE_REQUEST_BYTES: usize = 1 << 10;
/// How long to wait before the store is queried for failed inboxes that did not fit into memory.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(10);

impl Worker {
    pub(super) fn start_requests(&mut self) {
        while self.in_flight < self.concurrency && self.engine.may_send(!self.ready.is_empty()) {
            let (inboxes, is_alone) = self.next_inboxes();
            if inboxes.is_empty() {
                return;
            }
            let limit = match inboxes.len() {
                1 => LIMIT,
                _ => self.latency.saturating_mul(4).clamp(PATIENCE, LIMIT),
            };
            let request = Request::new(inboxes, is_alone, self.engine.sent());
            self.in_flight += 1;
            self.in_flight_alone += usize::from(is_alone);
            let realtime = self.parts.realtime.clone();
            let sending = async move {
                let outcome = request.send(realtime.as_ref(), limit).await;
                Event::Sent(request, outcome)
            };
            self.running.push(sending.boxed());
        }
    }

    /// Takes the inboxes of the next request, and returns whether it is one that must be alone.
    pub(super) fn next_inboxes(&mut self) -> (Vec<InboxEvents>, bool) {
        self.put_back_late();
        let has_place = self.concurrency > 1 && self.in_flight_alone < self.most_alone();
        let may_be_alone = (has_place && !self.engine.is_paused()) || self.ready.is_empty();
        if may_be_alone && let Some(inbox) = self.ready_alone.pop_front() {
            return (vec![inbox], true);
        }
        let (mut inboxes, mut events, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = self.ready.front() {
            events += next.count();
            bytes += next.bytes();
            let fits = events <= self.batch_size && bytes <= self.request_bytes && !self.engine.is_paused();
            if !inboxes.is_empty() && !fits {
                break;
            }
            inboxes.extend(self.ready.pop_front());
        }
        (inboxes, false)
    }

    /// Returns the claimed inboxes that have waited for so long that their leases may end during a
    /// request.
    pub(super) fn put_back_late(&mut self) {
        let soon = Instant::now() + LATE;
        let is_late = |inbox: &mut InboxEvents| inbox.deadline.is_some_and(|deadline| deadline < soon);
        while let Some(late) = self.ready.pop_front_if(is_late) {
            self.put_back(&late.user_id);
        }
        while let Some(late) = self.ready_alone.pop_front_if(is_late) {
            self.put_back(&late.user_id);
        }
    }

    pub(super) fn sent(&mut self, request: &Request, outcome: Outcome) {
        self.in_flight -= 1;
        self.in_flight_alone -= usize::from(request.is_alone);
        let events: usize = request.inboxes.iter().map(|inbox| inbox.events).sum();
        match outcome {
            Outcome::Published => {
                self.refusal_logged = false;
                self.latency = (self.latency * 3 + request.sent.elapsed()) / 4;
                self.parts.metrics.published("published", events);
                if request.inboxes.len() > 1 {
                    self.request_bytes = (self.request_bytes + MORE_REQUEST_BYTES).min(REQUEST_BYTES);
                }
            }
            Outcome::Refused(refused, error) => {
                self.log_refusal(&error);
                self.parts.metrics.published("refused", refused);
                self.parts.metrics.published("published", events - refused);
            }
            Outcome::Failed(error) => {
                self.parts.metrics.published("failed", events);
                self.failed(request, &error);
                return;
            }
        }
        for inbox in &request.inboxes {
            self.published(Inbox { user_id: inbox.user_id.clone(), ..*inbox });
        }
        self.engine_answered(request);
    }

    pub(super) fn published(&mut self, Inbox { user_id, seq, .. }: Inbox) {
        self.retries.remove(&user_id);
        self.marks.set(user_id.clone(), seq);
        if !self.is_shared {
            self.release(&user_id);
        }
    }

    pub(super) fn engine_answered(&mut self, request: &Request) {
        if self.engine.answered(request.phase) {
            self.retries.make_due();
        }
    }

    pub(super) fn failed(&mut self, request: &Request, error: &RealtimeError) {
        let was_alone = request.inboxes.len() == 1;
        let mut concerns_inbox = error.kind() == RealtimeErrorKind::Retryable;
        let mut began_pause = false;
        if error.kind() == RealtimeErrorKind::Permanent {
            // The engine has rejected several inboxes together, perhaps only for their size.
            self.request_bytes = (self.request_bytes / 2).max(FEWEST_REQUEST_BYTES);
        } else {
            let successes = self.engine.successes();
            let is_to_blame = |inbox: &Inbox| self.retries.is_to_blame(&inbox.user_id, successes);
            let has_failed_before = |inbox: &Inbox| self.retries.contains(&inbox.user_id);
            let is_excused = match error.kind() {
                RealtimeErrorKind::Retryable => request.inboxes.iter().all(has_failed_before),
                _ => request.inboxes.iter().all(is_to_blame),
            };
            concerns_inbox |= is_excused;
            began_pause = self.engine.failed(request.phase, error, is_excused);
        }
        for inbox in &request.inboxes {
            self.busy.remove(&inbox.user_id);
            self.retry(&inbox.user_id, was_alone && concerns_inbox);
            if was_alone && !self.engine.is_paused() {
                self.log_failure(&inbox.user_id, error);
            }
        }
        if error.kind() == RealtimeErrorKind::Permanent {
            self.engine_answered(request);
        }
        if began_pause {
            self.put_back_ready();
            self.give_up_if_stopping();
        }
    }

    pub(super) fn retry(&mut self, user: &UserId, was_alone: bool) {
        if was_alone && self.stopping.is_some() {
            // The next start publishes it.
            self.retries.remove(user);
        } else if !self.retries.failed(user, was_alone, self.engine.successes()) && self.stopping.is_none() {
            self.parts.queue.request_query();
            self.query_at = self.query_at.max(Instant::now() + FORGOTTEN);
        }
    }
}
