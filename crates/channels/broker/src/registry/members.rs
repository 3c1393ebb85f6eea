use std::collections::BTreeMap;
use std::sync::Arc;

use pusher_protocol::{ChannelName, ProtocolEvent, SocketId};
use serde_json::value::RawValue;

/// A user as a presence channel's members see it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) user_id: Arc<str>,
    pub(crate) user_info: Option<Box<RawValue>>,
}

/// The users of one presence channel.
///
/// A user is a member while at least one of its connections is subscribed. The `user_info` of the
/// first connection is shown.
#[derive(Debug, Default)]
pub(crate) struct Members {
    users: BTreeMap<Arc<str>, Presence>,
    connections: BTreeMap<SocketId, Arc<str>>,
}

#[derive(Debug)]
struct Presence {
    user_info: Option<Box<RawValue>>,
    connections: usize,
}

impl Members {
    pub(crate) fn contains(&self, user_id: &str) -> bool {
        self.users.contains_key(user_id)
    }

    pub(crate) fn count(&self) -> usize {
        self.users.len()
    }

    /// Returns the user ids in ascending order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(AsRef::as_ref)
    }

    /// Returns the user of a connection.
    pub(crate) fn user_of(&self, connection: &SocketId) -> Option<&Arc<str>> {
        self.connections.get(connection)
    }

    /// Adds a connection, and returns whether it is its user's first one.
    pub(crate) fn join(&mut self, connection: &SocketId, member: &Member) -> bool {
        self.connections.insert(connection.clone(), member.user_id.clone());
        let presence = self
            .users
            .entry(member.user_id.clone())
            .or_insert_with(|| Presence { user_info: member.user_info.clone(), connections: 0 });
        presence.connections += 1;
        presence.connections == 1
    }

    /// Removes a connection, and returns its user if that was the user's last one.
    pub(crate) fn leave(&mut self, connection: &SocketId) -> Option<Arc<str>> {
        let user_id = self.connections.remove(connection)?;
        let presence = self.users.get_mut(&user_id)?;
        presence.connections = presence.connections.saturating_sub(1);
        if presence.connections > 0 {
            return None;
        }
        self.users.remove(&user_id);
        Some(user_id)
    }

    /// Encodes the confirmation of a subscription.
    pub(crate) fn confirmation(&self, channel: &ChannelName) -> String {
        let members =
            self.users.iter().map(|(id, presence)| (id.as_ref(), presence.user_info.as_deref())).collect();
        ProtocolEvent::PresenceSucceeded { channel, members: &members }.encode()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(info: &str) -> Member {
        let user_info = RawValue::from_string(info.to_owned()).unwrap();
        Member { user_id: "ada".into(), user_info: Some(user_info) }
    }

    #[test]
    fn a_user_is_a_member_from_its_first_connection_to_its_last() {
        let [first, second] = ["1.1", "1.2"].map(|id| SocketId::new(id).unwrap());
        let mut members = Members::default();
        assert!(members.join(&first, &member("1")));
        assert!(!members.join(&second, &member("2")));
        assert!(members.confirmation(&"presence-a".parse().unwrap()).contains(r#"\"ada\":1"#));
        assert_eq!(members.leave(&first), None);
        assert_eq!(members.leave(&first), None, "the connection left already");
        assert_eq!((members.count(), members.user_of(&second).map(AsRef::as_ref)), (1, Some("ada")));
        assert_eq!(members.leave(&second).as_deref(), Some("ada"));
        assert_eq!(members.count(), 0);
    }
}
