use std::collections::BTreeMap;
use std::sync::Arc;

use pusher_protocol::{ChannelName, SocketId, names};
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
    /// Its `user_info`, or `null`, as JSON in a JSON string. Encoded once, since it is part of the
    /// confirmation of each subscription.
    escaped_info: Box<str>,
    escaped_id: Box<str>,
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
        let presence = self.users.entry(member.user_id.clone()).or_insert_with(|| Presence::of(member));
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

    /// Encodes the confirmation of a subscription, as [`ProtocolEvent::PresenceSucceeded`] does.
    ///
    /// [`ProtocolEvent::PresenceSucceeded`]: pusher_protocol::ProtocolEvent::PresenceSucceeded
    pub(crate) fn confirmation(&self, channel: &ChannelName) -> String {
        let users = || self.users.values();
        let bytes: usize = users().map(|user| 2 * user.escaped_id.len() + user.escaped_info.len() + 3).sum();
        let mut frame = String::with_capacity(bytes + channel.as_str().len() + 200);
        let push = |frame: &mut String, parts: &[&str]| parts.iter().for_each(|part| frame.push_str(part));
        // A channel's name has no characters that JSON escapes.
        push(
            &mut frame,
            &[r#"{"event":""#, names::SUBSCRIPTION_SUCCEEDED, r#"","channel":""#, channel.as_str()],
        );
        frame.push_str(r#"","data":"{\"presence\":{\"ids\":["#);
        for (number, user) in users().enumerate() {
            push(&mut frame, &[if number > 0 { "," } else { "" }, &user.escaped_id]);
        }
        frame.push_str(r#"],\"hash\":{"#);
        for (number, user) in users().enumerate() {
            push(&mut frame, &[if number > 0 { "," } else { "" }, &user.escaped_id, ":", &user.escaped_info]);
        }
        push(&mut frame, &[r#"},\"count\":"#, &self.users.len().to_string(), r#"}}"}"#]);
        frame
    }
}

impl Presence {
    fn of(member: &Member) -> Self {
        let info = member.user_info.as_ref().map_or("null", |info| info.get());
        let id = json(&member.user_id);
        Self { escaped_info: escaped(info), escaped_id: escaped(&id), connections: 0 }
    }
}

/// Encodes a text as JSON, which cannot fail.
fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Escapes a text for the inside of a JSON string.
fn escaped(text: &str) -> Box<str> {
    let quoted = json(text);
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().into()
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

    #[test]
    fn a_confirmation_is_encoded_as_the_protocol_does() {
        let channel: ChannelName = "presence-a".parse().unwrap();
        let infos = [Some(r#"{"name":"Zoë \"Z\" \\ \u0001\n/"}"#), None, Some("1.50")];
        let ids = ["ada", "b\"o\\b", "é\u{1}"];
        let (mut members, mut expected) = (Members::default(), BTreeMap::new());
        let infos = infos.map(|info| info.map(|info| RawValue::from_string(info.to_owned()).unwrap()));
        for number in 0..=ids.len() {
            let encoded =
                pusher_protocol::ProtocolEvent::PresenceSucceeded { channel: &channel, members: &expected };
            assert_eq!(members.confirmation(&channel), encoded.encode());
            let (Some(id), Some(info)) = (ids.get(number), infos.get(number)) else { break };
            let member = Member { user_id: Arc::from(*id), user_info: info.clone() };
            members.join(&SocketId::from_parts(number as u32, 1), &member);
            expected.insert(id, info.as_deref());
        }
    }
}
