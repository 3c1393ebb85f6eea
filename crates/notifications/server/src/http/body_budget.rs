use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::auth::Principal;
use crate::config::Limits;
use crate::http::problem::{ApiError, Kind};

/// The memory for request bodies that are being received or handled, over all requests.
///
/// Each caller has at most a share of it, so that one cannot take it from the others.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    total: usize,
    /// The most that one app user may hold.
    user_share: usize,
    /// The most that one API key may hold.
    key_share: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    /// Without callers that hold nothing.
    by_caller: HashMap<String, usize>,
}

/// A part of the [`BodyBudget`], which is returned when it is dropped.
#[derive(Debug)]
pub(in crate::http) struct Reservation {
    budget: Arc<BodyBudget>,
    caller: String,
    share: usize,
    bytes: usize,
}

impl BodyBudget {
    /// Returns a budget of [`Limits::buffered_bytes`]: at most a sixteenth of it for each user, and
    /// a half for each API key, but always enough for one body.
    pub(crate) fn new(limits: &Limits) -> Self {
        let total = limits.buffered_bytes;
        let share = |part: usize| (total / part).max(limits.body_bytes).min(total);
        Self { total, user_share: share(16), key_share: share(2), held: Mutex::default() }
    }

    /// Returns an empty reservation for a caller.
    pub(in crate::http) fn reserve(self: &Arc<Self>, caller: &Principal) -> Reservation {
        let share = match caller {
            Principal::User { .. } => self.user_share,
            Principal::Key { .. } => self.key_share,
        };
        Reservation { budget: self.clone(), caller: caller.to_string(), share, bytes: 0 }
    }

    /// Returns how many bytes are held.
    pub(crate) fn held(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Adds bytes. Rejects them with 429 beyond the caller's share, and with 503 beyond the whole
    /// budget.
    pub(in crate::http) fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let mut held = self.budget.lock();
        let own = held.by_caller.get(&self.caller).copied().unwrap_or(0);
        if bytes > self.share.saturating_sub(own) {
            let detail = "wait for the answers to the requests that are being sent";
            return Err(ApiError::new(Kind::TooManyRequests, detail));
        }
        if bytes > self.budget.total.saturating_sub(held.total) {
            let detail = "too many request bodies are being received";
            return Err(ApiError::new(Kind::Unavailable, detail));
        }
        held.total += bytes;
        *held.by_caller.entry(self.caller.clone()).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut held = self.budget.lock();
        held.total -= self.bytes;
        if let Entry::Occupied(mut own) = held.by_caller.entry(std::mem::take(&mut self.caller)) {
            *own.get_mut() -= self.bytes;
            if *own.get() == 0 {
                own.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn budget(bytes: usize) -> Arc<BodyBudget> {
        Arc::new(BodyBudget::new(&Limits { buffered_bytes: bytes, ..Limits::default() }))
    }

    fn user(name: &str) -> Principal {
        Principal::user(name.parse().unwrap())
    }

    fn rejection(grown: Result<(), ApiError>) -> Kind {
        grown.unwrap_err().kind()
    }

    #[test]
    fn a_caller_has_a_share_over_all_of_its_requests() {
        let budget = budget(64 * MIB);
        let (mut first, mut second) = (budget.reserve(&user("ada")), budget.reserve(&user("ada")));
        first.grow(3 * MIB).unwrap();
        second.grow(MIB).unwrap();
        assert_eq!(rejection(second.grow(1)), Kind::TooManyRequests);
        budget.reserve(&user("bob")).grow(4 * MIB).unwrap();
        // A key of the same name is another caller.
        budget.reserve(&Principal::key("ada")).grow(32 * MIB).unwrap();
        drop(first);
        second.grow(3 * MIB).unwrap();
    }

    #[test]
    fn the_whole_is_bounded_whoever_holds_it() {
        let budget = budget(8 * MIB);
        let mut all: Vec<_> = (0..4).map(|n| budget.reserve(&user(&format!("user-{n}")))).collect();
        all.iter_mut().for_each(|one| one.grow(2 * MIB).unwrap());
        let mut last = budget.reserve(&user("last"));
        assert_eq!(rejection(last.grow(1)), Kind::Unavailable);
        all.pop();
        last.grow(2 * MIB).unwrap();
    }

    #[test]
    fn everything_is_returned() {
        let budget = budget(64 * MIB);
        for _ in 0..100 {
            let mut one = budget.reserve(&user("ada"));
            one.grow(MIB).unwrap();
            one.grow(MIB).unwrap();
            one.grow(usize::MAX).unwrap_err();
            assert_eq!(budget.held(), 2 * MIB);
        }
        assert_eq!(budget.held(), 0);
        assert!(budget.lock().by_caller.is_empty(), "callers are not remembered");
    }
}
