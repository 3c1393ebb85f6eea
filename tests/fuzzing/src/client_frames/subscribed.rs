use futures_util::FutureExt;
use pusher_client::{ChannelEvent, Client, Subscription};

use super::SEALED;

/// A subscription, and whether what it yields is lawful.
pub(super) struct Subscribed {
    subscription: Subscription,
    stands: bool,
    is_refused: bool,
}

/// More members than this the client must not hold, whatever the server says.
const MEMBERS: usize = 10_000;

impl Subscribed {
    pub(super) async fn to(client: &Client, channel: &str) -> Self {
        let subscription = client.subscribe(channel.parse().unwrap()).await.unwrap();
        Self { subscription, stands: false, is_refused: false }
    }

    /// Reads what came: events only while the subscription stands, nothing after a refusal, and each kind where it belongs.
    pub(super) fn check(&mut self) {
        while let Some(event) = self.subscription.next().now_or_never() {
            match event {
                Some(event) => self.event(&event),
                None => return assert!(self.is_refused, "{} ended", self.subscription.channel()),
            }
        }
        assert_eq!(self.subscription.is_subscribed(), self.stands, "what it says and what it told differ");
        let kind = self.subscription.channel().kind();
        let members = self.subscription.members().count();
        assert!(members == 0 || kind.is_presence() && self.stands, "members where there are none");
        assert!(members <= MEMBERS, "{members} members");
    }

    fn event(&mut self, event: &ChannelEvent) {
        let kind = self.subscription.channel().kind();
        assert!(!self.is_refused, "{event:?} after a refusal");
        let lawful = match event {
            ChannelEvent::Subscribed => !std::mem::replace(&mut self.stands, true),
            ChannelEvent::Interrupted => std::mem::replace(&mut self.stands, false),
            ChannelEvent::Refused(_) => {
                self.stands = false;
                self.is_refused = true;
                true
            }
            ChannelEvent::Event(event) => {
                assert!(!event.name().starts_with("pusher:"), "an event of the protocol was told");
                self.stands && (!kind.is_encrypted() || event.data() == SEALED)
            }
            ChannelEvent::MemberAdded(_) | ChannelEvent::MemberRemoved(_) => {
                self.stands && kind.is_presence()
            }
            ChannelEvent::CacheMiss => self.stands && kind.is_cache(),
            ChannelEvent::DecryptionFailed { .. } => self.stands && kind.is_encrypted(),
            ChannelEvent::SubscriptionCount(_) => self.stands,
            _ => true,
        };
        assert!(lawful, "{event:?} of {kind:?}, subscribed: {}", self.stands);
    }
}
