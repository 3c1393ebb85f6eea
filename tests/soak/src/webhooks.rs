use std::collections::BTreeSet;

use black_box_support::Webhooks;
use pusher_signer::WebhookEvent;

/// What the webhooks so far report.
#[derive(Default)]
pub(crate) struct Reported {
    pub(crate) channels: BTreeSet<String>,
    /// Channels with their users.
    pub(crate) members: BTreeSet<(String, String)>,
    /// Reports that repeat what was reported before.
    pub(crate) repeated: usize,
    pub(crate) events: usize,
}

impl Reported {
    pub(crate) fn by(webhooks: &Webhooks) -> Self {
        let mut this = Self::default();
        for (_, event) in webhooks.events().iter() {
            let is_new = match event.clone() {
                WebhookEvent::ChannelOccupied { channel } => this.channels.insert(channel),
                WebhookEvent::ChannelVacated { channel } => this.channels.remove(&channel),
                WebhookEvent::MemberAdded { channel, user_id } => this.members.insert((channel, user_id)),
                WebhookEvent::MemberRemoved { channel, user_id } => this.members.remove(&(channel, user_id)),
                _ => true,
            };
            this.events += 1;
            this.repeated += usize::from(!is_new);
        }
        this
    }
}
