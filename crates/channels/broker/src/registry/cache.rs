use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use pusher_protocol::ChannelName;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The last events of cache channels, each for a limited time, with or without subscribers.
#[derive(Debug)]
pub(crate) struct Cache {
    entries: HashMap<ChannelName, Entry>,
    /// The channels in the order in which their entries were stored, which is also the order of
    /// expiry.
    order: BTreeMap<u64, ChannelName>,
    stored: u64,
    time: Duration,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    frame: Utf8Bytes,
    expires: Instant,
    number: u64,
}

impl Cache {
    pub(crate) fn new(time: Duration, capacity: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), stored: 0, time, capacity }
    }

    /// Stores an event as its channel's last one.
    pub(crate) fn store(&mut self, channel: &ChannelName, frame: Utf8Bytes, now: Instant) {
        let Some(expires) = now.checked_add(self.time) else { return };
        self.evict_expired(now);
        self.stored += 1;
        let number = self.stored;
        if let Some(before) = self.entries.insert(channel.clone(), Entry { frame, expires, number }) {
            self.order.remove(&before.number);
        }
        self.order.insert(number, channel.clone());
        while self.order.len() > self.capacity {
            self.evict_first();
        }
    }

    /// Returns the channel's last event and the time until it expires.
    pub(crate) fn get(&self, channel: &ChannelName, now: Instant) -> Option<(&Utf8Bytes, Duration)> {
        let entry = self.entries.get(channel).filter(|entry| entry.expires > now)?;
        Some((&entry.frame, entry.expires - now))
    }

    fn evict_expired(&mut self, now: Instant) {
        while let Some((_, channel)) = self.order.first_key_value() {
            if self.entries.get(channel).is_some_and(|entry| entry.expires > now) {
                return;
            }
            self.evict_first();
        }
    }

    fn evict_first(&mut self) {
        if let Some((_, channel)) = self.order.pop_first() {
            self.entries.remove(&channel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> Cache {
        Cache::new(Duration::from_secs(10), 2)
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
}
