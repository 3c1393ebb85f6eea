use std::collections::BTreeMap;
use std::time::Duration;

use pusher_protocol::ChannelName;
use tokio::time::Instant;

/// How often the count of a big channel is told, at most.
const INTERVAL: Duration = Duration::from_secs(5);

/// The channels whose counts are not told at once: those that are big, and those that were until their next turn.
#[derive(Debug, Default)]
pub(super) struct Counts(BTreeMap<ChannelName, Turn>);

#[derive(Debug)]
struct Turn {
    at: Instant,
    has_changed: bool,
}

impl Counts {
    /// Puts a change off to the channel's turn. A channel has none unless it is big.
    pub(super) fn put_off(&mut self, channel: &ChannelName, is_big: bool, now: Instant) -> bool {
        match self.0.get_mut(channel) {
            Some(turn) => turn.has_changed = true,
            None if is_big => {
                self.0.insert(channel.clone(), Turn { at: now + INTERVAL, has_changed: true });
            }
            None => return false,
        }
        true
    }

    /// The channels whose changes have to be told now. Each has its next turn after the interval; one without a change since its last
    /// turn has none any more.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ChannelName> {
        self.0.retain(|_, turn| turn.at > now || turn.has_changed);
        let due = self.0.iter_mut().filter(|(_, turn)| turn.at <= now);
        due.map(|(channel, turn)| {
            *turn = Turn { at: now + INTERVAL, has_changed: false };
            channel.clone()
        })
        .collect()
    }

    /// Whether no channel has a turn.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When to ask for [`due`](Self::due) next, if ever.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|turn| turn.at).min()
    }
}
