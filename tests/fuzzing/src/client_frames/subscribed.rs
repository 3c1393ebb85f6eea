use futures_util::FutureExt;
use pusher_client::{ChannelEvent, Client, Subscription};

use super::SEALED;

/// A subscription, with a check of the events that it yields.
pub(super) struct Subscribed {
    subscription: Subscription,
    is_subscribed: bool,
    is_refused: bool,
}

/// How many members the client may hold, whatever the server sends.
const MEMBERS: usize = 10_000;

impl Subscribed {
    pub(super) async fn to(client: &Client, channel: &str) -> Self {
        let subscription = client.subscribe(channel).await.unwrap();
        Self { subscription, is_subscribed: false, is_refused: false }
    }

    /// Checks the events: none while unsubscribed, nothing after a refusal, and only those that the
    /// kind of the channel can have.
    pub(super) fn check(&mut self) {
        while let Some(event) = self.subscription.next().now_or_never() {
            match event {
                Some(event) => self.event(&event),
                None => return assert!(self.is_refused, "{} ended", self.subscription.channel()),
            }
        }
        assert_eq!(
            self.subscription.is_subscribed(),
            self.is_subscribed,
            "the state differs from the events"
        );
        let kind = self.subscription.channel().kind();
        let members = self.subscription.members().count();
        assert!(members == 0 || kind.is_presence() && self.is_subscribed, "this channel cannot have members");
        assert!(members <= MEMBERS, "{members} members");
    }

    fn event(&mut self, event: &ChannelEvent) {
        let kind = self.subscription.channel().kind();
        assert!(!self.is_refused, "{event:?} after a refusal");
        let allowed = match event {
            ChannelEvent::Subscribed => !std::mem::replace(&mut self.is_subscribed, true),
            ChannelEvent::Interrupted => std::mem::replace(&mut self.is_subscribed, false),
            ChannelEvent::Refused(_) => {
                self.is_subscribed = false;
                self.is_refused = true;
                true
            }
            ChannelEvent::Event(event) => {
                assert!(!event.name().starts_with("pusher:"), "an event of the protocol reached the app");
                self.is_subscribed && (!kind.is_encrypted() || event.data() == SEALED)
            }
            ChannelEvent::MemberAdded(_) | ChannelEvent::MemberRemoved(_) => {
                self.is_subscribed && kind.is_presence()
            }
            ChannelEvent::CacheMiss => self.is_subscribed && kind.is_cache(),
            ChannelEvent::DecryptionFailed { .. } => self.is_subscribed && kind.is_encrypted(),
            ChannelEvent::SubscriptionCount(_) => self.is_subscribed,
            _ => true,
        };
        assert!(allowed, "{event:?} of {kind:?}, subscribed: {}", self.is_subscribed);
    }
}
