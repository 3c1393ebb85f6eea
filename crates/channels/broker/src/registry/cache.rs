use std::collections::BTreeMap;
use std::time::Duration;

use pusher_protocol::ChannelName;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The last events of cache channels, each for a limited time, with or without subscribers.
/// Bounded in number and in bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: BTreeMap<ChannelName, Entry>,
    /// The channels in the order in which their entries were stored, which is also the order of
    /// expiry.
    order: BTreeMap<u64, ChannelName>,
    stored: u64,
    bytes: usize,
    time: Duration,
    capacity: usize,
    byte_capacity: usize,
}

#[derive(Debug)]
struct Entry {
    frame: Utf8Bytes,
    expires: Instant,
    number: u64,
}

impl Cache {
    pub(super) fn new(time: Duration, capacity: usize, byte_capacity: usize) -> Self {
        let (entries, order) = Default::default();
        Self { entries, order, stored: 0, bytes: 0, time, capacity, byte_capacity }
    }

    /// Stores an event as its channel's last one. Returns whether it is the first of all.
    pub(super) fn store(&mut self, channel: &ChannelName, frame: Utf8Bytes, now: Instant) -> bool {
        let Some(expires) = now.checked_add(self.time) else { return false };
        // Before the expired are removed: the task that waits for them goes on with this one.
        let is_first = self.entries.is_empty();
        self.remove_expired(now);
        self.stored += 1;
        let number = self.stored;
        self.bytes += bytes(channel, &frame);
        if let Some(before) = self.entries.insert(channel.clone(), Entry { frame, expires, number }) {
            self.bytes = self.bytes.saturating_sub(bytes(channel, &before.frame));
            self.order.remove(&before.number);
        }
        self.order.insert(number, channel.clone());
        while self.order.len() > self.capacity || self.bytes > self.byte_capacity {
            self.remove_first();
        }
        is_first
    }

    /// Returns the channel's last event and the time until it expires.
    pub(crate) fn get(&self, channel: &ChannelName, now: Instant) -> Option<(&Utf8Bytes, Duration)> {
        let entry = self.entries.get(channel).filter(|entry| entry.expires > now)?;
        Some((&entry.frame, entry.expires - now))
    }

    /// Removes the events that have expired, and returns when the next one expires.
    pub(super) fn remove_expired(&mut self, now: Instant) -> Option<Instant> {
        while let Some((_, channel)) = self.order.first_key_value() {
            match self.entries.get(channel).map(|entry| entry.expires) {
                Some(expires) if expires > now => return Some(expires),
                _ => self.remove_first(),
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn remove_first(&mut self) {
        let Some((_, channel)) = self.order.pop_first() else { return };
        let Some(entry) = self.entries.remove(&channel) else { return };
        self.bytes = self.bytes.saturating_sub(bytes(&channel, &entry.frame));
    }
}

/// Returns the bytes that an entry takes in about, with its two copies of the name.
fn bytes(channel: &ChannelName, frame: &Utf8Bytes) -> usize {
    const OVERHEAD: usize = 256;
    frame.len() + 2 * channel.as_str().len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Cache {
        Cache::new(Duration::from_secs(10), 2, 10_000)
    }

    #[test]
    fn an_event_expires_a_fixed_time_after_the_last_publication() {
        let (mut cache, start) = (cache(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let channel: ChannelName = "cache-a".parse().unwrap();
        cache.store(&channel, "1".into(), start);
        cache.store(&channel, "2".into(), at(5));
        assert_eq!(cache.get(&channel, at(14)), Some((&"2".into(), Duration::from_secs(1))));
        assert_eq!(cache.get(&channel, at(15)), None);
        cache.store(&"cache-b".parse().unwrap(), "3".into(), at(15));
        assert_eq!((cache.entries.len(), cache.order.len()), (1, 1), "an expired event takes no memory");
    }

    #[test]
    fn beyond_the_capacity_the_oldest_event_is_evicted() {
        let (mut cache, now) = (cache(), Instant::now());
        let [a, b, c] = ["cache-a", "cache-b", "cache-c"].map(|name| name.parse::<ChannelName>().unwrap());
        for channel in [&a, &b, &a, &c] {
            cache.store(channel, "e".into(), now);
        }
        assert!(cache.get(&a, now).is_some() && cache.get(&c, now).is_some());
        assert_eq!(cache.get(&b, now), None);
    }

    #[test]
    fn beyond_the_bytes_the_oldest_events_are_evicted() {
        let (mut cache, now) = (cache(), Instant::now());
        let [a, b] = ["cache-a", "cache-b"].map(|name| name.parse::<ChannelName>().unwrap());
        cache.store(&a, "a".repeat(9_000).into(), now);
        cache.store(&a, "a".repeat(6_000).into(), now);
        assert!(cache.get(&a, now).is_some());
        cache.store(&b, "b".repeat(6_000).into(), now);
        assert!(cache.get(&a, now).is_none() && cache.get(&b, now).is_some());
        cache.store(&b, "b".repeat(10_000).into(), now);
        assert_eq!(
            (cache.entries.len(), cache.order.len(), cache.bytes),
            (0, 0, 0),
            "it is too large itself"
        );
    }
}
