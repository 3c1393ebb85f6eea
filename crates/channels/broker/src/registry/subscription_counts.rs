use std::sync::atomic::Ordering;

use pusher_protocol::{ChannelName, ProtocolEvent};
use tokio::time::Instant;

use super::{Registry, State};
use crate::webhook::WebhookEvent;

/// A channel with more subscribers sends its count every five seconds at most (Pusher's
/// "subscription count events").
const LARGE: usize = 100;

impl Registry {
    /// Sends a channel's subscription count if that is enabled: at once, or for a large channel
    /// [later](Self::send_due_counts).
    pub(super) fn count_changed(&self, state: &mut State, name: &ChannelName) {
        if !self.subscription_counts || name.kind().is_presence() {
            return;
        }
        let is_large = state.channels.get(name).is_some_and(|channel| channel.subscribers.len() > LARGE);
        let no_task_runs = state.counts.is_empty();
        if !state.counts.defer(name, is_large, Instant::now()) {
            self.send_count(state, name);
        } else if no_task_runs {
            self.counts_need_a_task.store(true, Ordering::Relaxed);
        }
    }

    fn send_count(&self, state: &State, name: &ChannelName) {
        let channel = state.channels.get(name);
        let count = channel.map_or(0, |channel| channel.subscribers.len());
        if let Some(channel) = channel {
            let frame = ProtocolEvent::SubscriptionCount { channel: name, count }.encode().into();
            channel.publish(&frame, None);
        }
        self.webhooks.notify(|| WebhookEvent::subscription_count(name, count));
    }

    /// Returns, once, whether the caller has to call [`send_due_counts`](Self::send_due_counts)
    /// until it returns `None`.
    pub(crate) fn take_delayed_counts_flag(&self) -> bool {
        self.counts_need_a_task.load(Ordering::Relaxed)
            && self.counts_need_a_task.swap(false, Ordering::Relaxed)
    }

    /// Sends the counts of large channels that are due, and returns when to call again, if ever.
    pub(crate) fn send_due_counts(&self) -> Option<Instant> {
        let mut state = self.lock();
        for name in state.counts.take_due(Instant::now()) {
            self.send_count(&state, &name);
        }
        state.counts.next()
    }
}
