use std::sync::Arc;

use pusher_protocol::{ChannelName, ProtocolEvent, SocketId};
use tokio::time::Instant;

use super::channel::Channel;
use super::{Member, Registry, Revoked, Socket, lock};
use crate::webhook::WebhookEvent;

/// Why a subscription failed.
#[derive(Debug)]
pub(crate) enum SubscribeError {
    /// The presence channel has as many users as it may have.
    Full,
    Revoked(Revoked),
}

impl Registry {
    /// Subscribes a connection, to a presence channel as `member`, and returns when its
    /// authorization expires, if ever.
    ///
    /// The confirmation comes before any other event of the channel, and right after it the last
    /// event of a cache channel.
    ///
    /// # Errors
    /// Returns [`SubscribeError`] if the channel is full or the authorization was revoked.
    pub(crate) fn subscribe(
        &self,
        socket: &Arc<Socket>,
        name: &ChannelName,
        member: Option<&Member>,
    ) -> Result<Option<Instant>, SubscribeError> {
        let mut shard = self.shards.of(name);
        let expires = socket.authorization_expiry(name).map_err(SubscribeError::Revoked)?;
        let channels = &mut shard.channels;
        if let (Some(member), Some(members)) = (member, channels.get(name).and_then(|c| c.members.as_ref())) {
            if members.count() >= self.presence_members && !members.contains(&member.user_id) {
                return Err(SubscribeError::Full);
            }
        }
        let channel = channels.entry(name.clone()).or_default();
        if channel.subscribers.is_empty() {
            self.webhooks.notify(|| WebhookEvent::channel_occupied(name));
        }
        match member {
            None => socket.queue.push(ProtocolEvent::SubscriptionSucceeded { channel: name }.encode().into()),
            Some(member) => self.join(channel, socket, name, member),
        }
        if name.kind().is_cache() {
            self.send_last_event(channel, socket, name);
        }
        channel.subscribers.insert(socket);
        self.count_changed(&shard, name);
        Ok(expires)
    }

    /// Adds a connection to a presence channel's members and confirms the subscription.
    fn join(&self, channel: &mut Channel, socket: &Socket, name: &ChannelName, member: &Member) {
        let members = channel.members.get_or_insert_default();
        let is_first = members.join(&socket.id, member);
        socket.queue.push(members.confirmation(name).into());
        if is_first {
            let Member { user_id, user_info } = member;
            let added =
                ProtocolEvent::MemberAdded { channel: name, user_id, user_info: user_info.as_deref() };
            channel.publish(&added.encode().into(), None);
            self.webhooks.notify(|| WebhookEvent::member_added(name, user_id));
        }
    }

    /// Sends a cache channel's last event to a new subscriber, or reports a cache miss.
    fn send_last_event(&self, channel: &mut Channel, socket: &Socket, name: &ChannelName) {
        let last = lock(&self.cache).get(name, Instant::now()).map(|(last, _)| last.clone());
        if let Some(last) = last {
            socket.queue.push(last);
            return;
        }
        socket.queue.push(ProtocolEvent::CacheMiss { channel: name }.encode().into());
        if !std::mem::replace(&mut channel.is_miss_reported, true) {
            self.webhooks.notify(|| WebhookEvent::cache_miss(name));
        }
    }

    /// Ends a subscription, if there is one.
    pub(crate) fn unsubscribe(&self, id: &SocketId, name: &ChannelName) {
        let mut shard = self.shards.of(name);
        let Some(channel) = shard.channels.get_mut(name) else { return };
        if !channel.subscribers.remove(id) {
            return;
        }
        if let Some(user_id) = channel.members.as_mut().and_then(|members| members.leave(id)) {
            let removed = ProtocolEvent::MemberRemoved { channel: name, user_id: &user_id };
            channel.publish(&removed.encode().into(), None);
            self.webhooks.notify(|| WebhookEvent::member_removed(name, &user_id));
        }
        if channel.subscribers.is_empty() {
            shard.channels.remove(name);
            self.webhooks.notify(|| WebhookEvent::channel_vacated(name));
        }
        self.count_changed(&shard, name);
    }
}
