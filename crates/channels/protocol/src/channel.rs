use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::{limits, names};

/// What the prefix of a channel's name makes of it (Pusher's "channel types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChannelKind {
    /// No prefix: anyone with the app key may subscribe.
    Public,
    /// `cache-`: public, and the last event is kept.
    Cache,
    /// `private-`: needs an authorization.
    Private,
    /// `private-cache-`.
    PrivateCache,
    /// `private-encrypted-`: private, with data that the server cannot read.
    PrivateEncrypted,
    /// `private-encrypted-cache-`.
    PrivateEncryptedCache,
    /// `presence-`: needs an authorization that names a user.
    Presence,
    /// `presence-cache-`.
    PresenceCache,
    /// `#server-to-user-ID`: the channel of a signed-in user.
    ServerToUser,
}

impl ChannelKind {
    fn of(name: &str) -> Self {
        const PREFIXES: [(&str, ChannelKind); 8] = [
            ("private-encrypted-cache-", ChannelKind::PrivateEncryptedCache),
            ("private-encrypted-", ChannelKind::PrivateEncrypted),
            ("private-cache-", ChannelKind::PrivateCache),
            ("private-", ChannelKind::Private),
            ("presence-cache-", ChannelKind::PresenceCache),
            ("presence-", ChannelKind::Presence),
            ("cache-", ChannelKind::Cache),
            (names::SERVER_TO_USER_PREFIX, ChannelKind::ServerToUser),
        ];
        PREFIXES
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))
            .map_or(ChannelKind::Public, |(_, kind)| *kind)
    }

    /// Whether a subscription needs a signature from the app's auth endpoint.
    pub fn needs_authorization(self) -> bool {
        !matches!(self, Self::Public | Self::Cache | Self::ServerToUser)
    }

    /// Whether the signature covers `channel_data`, which names the user.
    pub fn is_presence(self) -> bool {
        matches!(self, Self::Presence | Self::PresenceCache)
    }

    /// Whether event data is encrypted between publisher and subscribers.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::PrivateEncrypted | Self::PrivateEncryptedCache)
    }

    /// Whether the server keeps the last event for new subscribers.
    pub fn is_cache(self) -> bool {
        matches!(self, Self::Cache | Self::PrivateCache | Self::PrivateEncryptedCache | Self::PresenceCache)
    }
}

/// A channel's name, checked: 1 to 164 characters of `A-Z a-z 0-9 _ - = @ , . ;`, or `#server-to-user-` and such an id
/// (Pusher's "channel naming conventions").
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(String);

/// Why a text is no channel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidChannelName {
    /// It has no characters, or none after `#server-to-user-`.
    #[error("a channel name must not be empty")]
    Empty,
    /// It has more than [`limits::CHANNEL_NAME`] characters.
    #[error("a channel name has at most {} characters", limits::CHANNEL_NAME)]
    TooLong,
    /// It has a character outside Pusher's alphabet.
    #[error("a channel name has only letters, digits and _-=@,.;")]
    Alphabet,
}

impl ChannelName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidChannelName`] says which rule it breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidChannelName> {
        let name = name.into();
        let body = name.strip_prefix(names::SERVER_TO_USER_PREFIX).unwrap_or(&name);
        if body.is_empty() {
            return Err(InvalidChannelName::Empty);
        }
        if !body.bytes().all(is_channel_byte) {
            return Err(InvalidChannelName::Alphabet);
        }
        if name.len() > limits::CHANNEL_NAME {
            return Err(InvalidChannelName::TooLong);
        }
        Ok(Self(name))
    }

    /// The channel of the user with this id, for those signed in.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_user(user_id: &str) -> Result<Self, InvalidChannelName> {
        Self::new(format!("{}{user_id}", names::SERVER_TO_USER_PREFIX))
    }

    /// Whether `text` has only characters of a channel name (letters, digits and `_-=@,.;`).
    pub fn is_alphabet(text: &str) -> bool {
        text.bytes().all(is_channel_byte)
    }

    /// The kind, from the prefix.
    pub fn kind(&self) -> ChannelKind {
        ChannelKind::of(&self.0)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_channel_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte)
}

impl FromStr for ChannelName {
    type Err = InvalidChannelName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<String> for ChannelName {
    type Error = InvalidChannelName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl AsRef<str> for ChannelName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ChannelName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_decides_the_kind() {
        for (name, kind) in [
            ("news", ChannelKind::Public),
            ("privateer", ChannelKind::Public),
            ("cache-news", ChannelKind::Cache),
            ("private-ada", ChannelKind::Private),
            ("private-encrypted", ChannelKind::Private),
            ("private-cache-a", ChannelKind::PrivateCache),
            ("private-encrypted-a", ChannelKind::PrivateEncrypted),
            ("private-encrypted-cache-a", ChannelKind::PrivateEncryptedCache),
            ("presence-room", ChannelKind::Presence),
            ("presence-cache-room", ChannelKind::PresenceCache),
            ("#server-to-user-42", ChannelKind::ServerToUser),
        ] {
            assert_eq!(ChannelName::new(name).unwrap().kind(), kind, "{name}");
        }
    }

    #[test]
    fn names_outside_the_alphabet_are_refused() {
        for name in ["test_channel:", ":test", "a\n", "\na", "a b", "é", "#other", "a#b", "a/b", "a\0"] {
            assert_eq!(ChannelName::new(name), Err(InvalidChannelName::Alphabet), "{name:?}");
        }
        assert_eq!(ChannelName::new(""), Err(InvalidChannelName::Empty));
        assert_eq!(ChannelName::new("#server-to-user-"), Err(InvalidChannelName::Empty));
    }

    #[test]
    fn a_name_ends_at_164_characters() {
        assert!(ChannelName::new("a".repeat(164)).is_ok());
        assert_eq!(ChannelName::new("a".repeat(165)), Err(InvalidChannelName::TooLong));
    }
}
