use super::{WebhookEvent, WebhookKind};

/// Which events a destination wants.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    kinds: u8,
    channel_prefix: String,
}

impl Filter {
    pub(super) fn set_kinds(&mut self, kinds: impl IntoIterator<Item = WebhookKind>) {
        self.kinds = kinds.into_iter().fold(0, |bits, kind| bits | kind.bit());
    }

    pub(super) fn set_channel_prefix(&mut self, prefix: String) {
        self.channel_prefix = prefix;
    }

    pub(super) fn wants_kind(&self, kind: WebhookKind) -> bool {
        self.kinds & kind.bit() != 0
    }

    /// Returns whether to queue an event. An arrival is queued for a destination that wants only
    /// departures, and the other way round, since the two may cancel each other out.
    pub(super) fn is_relevant(&self, event: &WebhookEvent) -> bool {
        let kind = event.kind();
        let is_wanted = self.wants_kind(kind) || event.opposite().is_some_and(|kind| self.wants_kind(kind));
        is_wanted && event.channel().starts_with(&self.channel_prefix)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self { kinds: u8::MAX, channel_prefix: String::new() }
    }
}
