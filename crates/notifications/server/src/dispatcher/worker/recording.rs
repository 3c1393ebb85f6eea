use std::error::Error;
use std::time::Duration;

use futures_util::FutureExt;
use internal_notifications_models::UserId;
use tokio::time::Instant;

use super::sending::FORGOTTEN;
use super::{Event, Stopping, Worker};
use crate::dispatcher::store_calls::{AfterRecording, QUERY_LIMIT, Recorded, record};
use crate::store::StoreError;

/// How often the age of the oldest unpublished change is measured, and a shared store polled for
/// work that a dead server left.
const POLL: Duration = Duration::from_secs(1);

impl Worker {
    pub(super) fn start_recording(&mut self) {
        if self.is_recording {
            return;
        }
        let now = Instant::now();
        let may_call = now >= self.store_resumes && !self.is_giving_up();
        let mut then = AfterRecording { query: false, measure: false };
        if now >= self.poll_at && may_call && self.stopping.is_none() {
            self.poll_at = now + POLL;
            if self.is_shared {
                self.parts.queue.request_query();
            }
            then.measure = self.is_shared || !self.knows_that_all_is_published();
            if !then.measure {
                self.show_age(None);
            }
        }
        then.query = may_call && now >= self.query_at && self.parts.queue.needs_query();
        let is_due = self.marks.due().is_some_and(|due| due <= now);
        let is_end = self.stopping.is_some() && self.is_idle() && self.marks.len() > 0;
        if !then.query && !then.measure && !is_due && !is_end {
            return;
        }
        if then.query {
            self.parts.queue.begin_query();
        }
        self.is_recording = true;
        let (store, marks) = (self.parts.store.clone(), self.marks.begin_recording());
        self.running.push(async move { Event::Recorded(record(store.as_ref(), marks, then).await) }.boxed());
    }

    pub(super) fn recorded(&mut self, Recorded { behind, found, age }: Recorded) {
        self.is_recording = false;
        match behind {
            Ok(behind) => {
                let recorded = self.marks.recorded();
                if self.is_shared {
                    recorded.for_each(|user| self.release(&user));
                }
                self.parts.queue.add(&behind);
            }
            Err(error) => {
                self.marks.not_recorded();
                let error: &dyn Error = &error;
                tracing::warn!(error, "cannot record what was published; it may be published again");
                if self.stopping.is_some() {
                    self.stopping = Some(Stopping::Done);
                }
            }
        }
        match found {
            Some(Ok(users)) => self.found(&users),
            Some(Err(error)) => {
                self.parts.queue.request_query();
                self.store_failed(&error);
            }
            None => {}
        }
        if let Some(Ok(age)) = age {
            self.show_age(age);
        }
    }

    /// Queues the inboxes that an earlier run or another server left behind, or that did not fit
    /// into the queue.
    pub(super) fn found(&mut self, users: &[UserId]) {
        self.store_works();
        let is_new = |user: &&UserId| !self.busy.contains_key(*user) && !self.retries.contains(user);
        let added = self.parts.queue.add_found(users.iter().filter(is_new));
        if users.len() >= QUERY_LIMIT && (added > 0 || self.stopping.is_none()) {
            self.parts.queue.request_query();
            if added == 0 {
                self.query_at = self.query_at.max(Instant::now() + POLL);
            }
        }
        if self.retries.is_full() {
            self.query_at = self.query_at.max(Instant::now() + FORGOTTEN);
        }
    }

    pub(super) fn store_works(&mut self) {
        if !self.store_backoff.is_fresh() {
            self.store_backoff.reset();
            tracing::info!("unpublished changes can be read again");
        }
    }

    pub(super) fn store_failed(&mut self, error: &StoreError) {
        let is_first = self.store_backoff.is_fresh();
        let delay = self.store_backoff.next();
        self.store_resumes = Instant::now() + delay;
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let error: &dyn Error = error;
        if is_first {
            tracing::warn!(error, delay_ms, "unpublished changes cannot be read; trying again");
        } else {
            tracing::debug!(error, delay_ms, "unpublished changes still cannot be read");
        }
        self.give_up_if_stopping();
    }

    /// Returns whether the store need not be asked for the age of the oldest unpublished change.
    pub(super) fn knows_that_all_is_published(&self) -> bool {
        self.unpublished() == 0 && !self.parts.queue.needs_query()
    }

    pub(super) fn show_age(&mut self, age: Option<Duration>) {
        if age.is_some() || self.is_age_shown {
            self.is_age_shown = age.is_some();
            self.parts.metrics.set_unpublished_age(age.unwrap_or_default());
        }
    }

    /// Returns how many inboxes were taken from the queue and are not published.
    pub(super) fn in_progress(&self) -> usize {
        let marked = if self.is_shared { self.marks.len() } else { 0 };
        self.busy.len().saturating_sub(marked) + self.retries.waiting()
    }

    pub(super) fn unpublished(&self) -> usize {
        self.in_progress() + self.parts.queue.len()
    }

    pub(super) fn show_progress(&mut self) {
        self.parts.queue.set_in_progress(self.in_progress());
        if self.retries.is_empty() {
            self.failure_logged = false;
        }
    }
}
