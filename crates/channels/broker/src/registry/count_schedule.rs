use std::collections::BTreeMap;
use std::time::Duration;

use pusher_protocol::ChannelName;
use tokio::time::Instant;

/// The shortest time between two counts of a large channel.
const INTERVAL: Duration = Duration::from_secs(5);

/// When to send the counts of large channels, and of those that were large until their last count.
#[derive(Debug, Default)]
pub(super) struct CountSchedule(BTreeMap<ChannelName, Slot>);

#[derive(Debug)]
struct Slot {
    due: Instant,
    has_changed: bool,
}

impl CountSchedule {
    /// Defers a change to the channel's next slot, and returns whether it did. A channel without a
    /// slot gets one only if it is large.
    pub(super) fn defer(&mut self, channel: &ChannelName, is_large: bool, now: Instant) -> bool {
        match self.0.get_mut(channel) {
            Some(slot) => slot.has_changed = true,
            None if is_large => {
                self.0.insert(channel.clone(), Slot { due: now + INTERVAL, has_changed: true });
            }
            None => return false,
        }
        true
    }

    /// Returns the channels whose counts are due, and gives each its next slot. A channel without a
    /// change since its last slot loses its slot.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<ChannelName> {
        self.0.retain(|_, slot| slot.due > now || slot.has_changed);
        let due = self.0.iter_mut().filter(|(_, slot)| slot.due <= now);
        due.map(|(channel, slot)| {
            *slot = Slot { due: now + INTERVAL, has_changed: false };
            channel.clone()
        })
        .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns when to call [`take_due`](Self::take_due) next, if ever.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|slot| slot.due).min()
    }
}
