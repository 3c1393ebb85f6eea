use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pusher_protocol::CloseCode;
use tokio::sync::Semaphore;

use crate::close::Close;
use crate::limits::Limits;
use crate::trusted_proxy::TrustedProxy;

/// The room for connections and request bodies.
pub(crate) struct Room {
    connections: usize,
    connections_per_address: usize,
    occupied: Mutex<Occupied>,
    pub(crate) trusted_proxies: Vec<TrustedProxy>,
    /// A permit for each byte of [`Limits::buffered_bytes`].
    pub(crate) body_memory: Arc<Semaphore>,
}

/// Connection tasks, including those that only reject a client.
#[derive(Default)]
struct Occupied {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// Connection tasks beyond a limit, which only send a close frame.
const REJECTING_TASKS: usize = 64;

pub(crate) const OVER_CAPACITY: Close =
    Close::new(CloseCode::OVER_CAPACITY, "The server has no room for another connection");
pub(crate) const FULL_ADDRESS: Close =
    Close::new(CloseCode::OVER_CAPACITY, "The server has no room for another connection from this address");

/// What a connection task that was counted may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Accept,
    /// Only send this close frame.
    Reject(Close),
    /// Nothing: there is not even room for a close frame.
    Full(Close),
}

impl Room {
    pub(crate) fn new(limits: &Limits, trusted_proxies: Vec<TrustedProxy>) -> Self {
        Self {
            connections: limits.connections,
            connections_per_address: limits.connections_per_address.unwrap_or(usize::MAX),
            occupied: Mutex::default(),
            trusted_proxies,
            body_memory: Arc::new(Semaphore::new(limits.buffered_bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Counts one more connection task, which must [`leave`](Self::leave) in any case, and decides
    /// what it may do.
    pub(crate) fn enter(&self, address: Option<IpAddr>) -> Entry {
        let mut occupied = self.occupied();
        occupied.all += 1;
        let all = occupied.all;
        let from_address = address.map_or(0, |address| {
            let tasks = occupied.by_address.entry(address).or_default();
            *tasks += 1;
            *tasks
        });
        let limits = [
            (from_address, self.connections_per_address, FULL_ADDRESS),
            (all, self.connections, OVER_CAPACITY),
        ];
        let beyond = |more: usize| {
            limits.iter().find(|(tasks, limit, _)| *tasks > limit.saturating_add(more)).map(|(.., why)| *why)
        };
        match (beyond(REJECTING_TASKS), beyond(0)) {
            (Some(why), _) => Entry::Full(why),
            (None, Some(why)) => Entry::Reject(why),
            (None, None) => Entry::Accept,
        }
    }

    /// Counts one connection task less.
    pub(crate) fn leave(&self, address: Option<IpAddr>) {
        let mut occupied = self.occupied();
        occupied.all = occupied.all.saturating_sub(1);
        let Some(address) = address else { return };
        let Some(tasks) = occupied.by_address.get_mut(&address) else { return };
        *tasks -= 1;
        if *tasks == 0 {
            occupied.by_address.remove(&address);
        }
    }

    fn occupied(&self) -> MutexGuard<'_, Occupied> {
        self.occupied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(connections: usize, per_address: Option<usize>) -> Room {
        let mut limits = Limits::default();
        (limits.connections, limits.connections_per_address) = (connections, per_address);
        Room::new(&limits, Vec::new())
    }

    #[test]
    fn an_address_fills_up_apart_from_others_and_empties_without_a_trace() {
        let (room, [a, b]) = (room(1_000, Some(1)), ["192.0.2.1", "192.0.2.2"].map(|a| a.parse().ok()));
        assert_eq!((room.enter(a), room.enter(b)), (Entry::Accept, Entry::Accept));
        for _ in 0..REJECTING_TASKS {
            assert_eq!(room.enter(a), Entry::Reject(FULL_ADDRESS));
        }
        assert_eq!(room.enter(a), Entry::Full(FULL_ADDRESS));
        assert_eq!((room.enter(None), room.enter(None)), (Entry::Accept, Entry::Accept));
        (0..REJECTING_TASKS + 2).for_each(|_| room.leave(a));
        assert_eq!(room.enter(a), Entry::Accept);
        [a, b, None, None].into_iter().for_each(|address| room.leave(address));
        let occupied = room.occupied();
        assert_eq!((occupied.all, occupied.by_address.len()), (0, 0));
    }

    #[test]
    fn without_a_limit_one_address_may_take_the_whole_room() {
        let (room, a) = (room(2, None), "192.0.2.1".parse().ok());
        assert_eq!([room.enter(a), room.enter(a)], [Entry::Accept; 2]);
        assert_eq!(room.enter(a), Entry::Reject(OVER_CAPACITY));
    }
}
