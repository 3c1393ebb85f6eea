use std::sync::Arc;

use pusher_protocol::SocketId;

use super::Socket;

/// Connections, sorted by their ids: a few bytes for the many channels with one subscriber.
#[derive(Debug, Default)]
pub(super) struct SocketSet(Vec<Arc<Socket>>);

impl SocketSet {
    /// Adds a connection, unless it is there.
    pub(super) fn insert(&mut self, socket: &Arc<Socket>) {
        if let Err(place) = self.place(&socket.id) {
            self.0.insert(place, socket.clone());
        }
    }

    /// Removes a connection, and returns whether it was there.
    pub(super) fn remove(&mut self, id: &SocketId) -> bool {
        let place = self.place(id);
        if let Ok(place) = place {
            self.0.remove(place);
        }
        if self.0.capacity() > 2 * self.0.len().max(4) {
            self.0.shrink_to_fit();
        }
        place.is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, id: &SocketId) -> Result<usize, usize> {
        self.0.binary_search_by(|socket| socket.id.cmp(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send_queue::SendQueue;

    #[test]
    fn a_connection_is_in_it_once_and_leaves_no_memory_behind() {
        let sockets: Vec<_> = (0..100)
            .map(|number| Arc::new(Socket::new(SocketId::from_parts(number * 7 % 100, 1), SendQueue::new(1))))
            .collect();
        let mut set = SocketSet::default();
        for socket in sockets.iter().chain(&sockets) {
            set.insert(socket);
        }
        assert_eq!(set.len(), 100);
        assert!(set.iter().is_sorted_by_key(|socket| &socket.id));
        for socket in &sockets {
            assert!(set.remove(&socket.id));
            assert!(!set.remove(&socket.id));
        }
        assert!(set.is_empty() && set.0.capacity() <= 8);
    }
}
