use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::{limits, names};

/// The kind of a channel, given by the prefix of its name (Pusher's "channel types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChannelKind {
    /// No prefix: anyone with the app key may subscribe.
    Public,
    /// `cache-`: public, and the server keeps the last event.
    Cache,
    /// `private-`: a subscription needs an authorization.
    Private,
    /// `private-cache-`: private, and the server keeps the last event.
    PrivateCache,
    /// `private-encrypted-`: private, and the server cannot read the data.
    PrivateEncrypted,
    /// `private-encrypted-cache-`: encrypted, and the server keeps the last event.
    PrivateEncryptedCache,
    /// `presence-`: a subscription needs an authorization that names a user.
    Presence,
    /// `presence-cache-`: presence, and the server keeps the last event.
    PresenceCache,
    /// `#server-to-user-`: the channel of a signed-in user.
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

    /// Returns whether a subscription needs a signature from the app's auth endpoint.
    pub fn needs_authorization(self) -> bool {
        !matches!(self, Self::Public | Self::Cache | Self::ServerToUser)
    }

    /// Returns whether the channel has members: its signature covers `channel_data`, which names
    /// the user.
    pub fn is_presence(self) -> bool {
        matches!(self, Self::Presence | Self::PresenceCache)
    }

    /// Returns whether publishers encrypt the data for the subscribers.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::PrivateEncrypted | Self::PrivateEncryptedCache)
    }

    /// Returns whether the server keeps the last event for new subscribers.
    pub fn is_cache(self) -> bool {
        matches!(self, Self::Cache | Self::PrivateCache | Self::PrivateEncryptedCache | Self::PresenceCache)
    }
}

/// The checked name of a channel: 1 to 164 characters out of `A-Z a-z 0-9 _ - = @ , . ;`,
/// optionally after the prefix `#server-to-user-` (Pusher's "channel naming conventions").
///
/// Functions that take a channel name accept anything that converts to one, such as `&str`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(String);

/// The error for text that is not a channel name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidChannelName {
    /// The name is empty, or only `#server-to-user-`.
    #[error("a channel name must not be empty")]
    Empty,
    /// The name is longer than [`limits::CHANNEL_NAME`].
    #[error("a channel name has at most {} characters", limits::CHANNEL_NAME)]
    TooLong,
    /// The name contains a character that Pusher does not allow.
    #[error("a channel name may contain only letters, digits and _-=@,.;")]
    Alphabet,
}

impl ChannelName {
    /// Checks a name.
    ///
    /// # Errors
    /// Returns the [`InvalidChannelName`] for the rule that the name breaks.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidChannelName> {
        let name = name.into();
        let body = name.strip_prefix(names::SERVER_TO_USER_PREFIX).unwrap_or(&name);
        if body.is_empty() {
            return Err(InvalidChannelName::Empty);
        }
        if !Self::is_alphabet(body) {
            return Err(InvalidChannelName::Alphabet);
        }
        if name.len() > limits::CHANNEL_NAME {
            return Err(InvalidChannelName::TooLong);
        }
        Ok(Self(name))
    }

    /// Returns the channel on which a signed-in user receives events: `#server-to-user-` and the
    /// id.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_user(user_id: &str) -> Result<Self, InvalidChannelName> {
        Self::new(format!("{}{user_id}", names::SERVER_TO_USER_PREFIX))
    }

    /// Returns whether `text` consists of characters that a channel name may contain.
    pub fn is_alphabet(text: &str) -> bool {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte))
    }

    /// Returns the kind of the channel.
    pub fn kind(&self) -> ChannelKind {
        ChannelKind::of(&self.0)
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ChannelName {
    type Err = InvalidChannelName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl TryFrom<&str> for ChannelName {
    type Error = InvalidChannelName;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<String> for ChannelName {
    type Error = InvalidChannelName;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl TryFrom<&String> for ChannelName {
    type Error = InvalidChannelName;

    fn try_from(name: &String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<&ChannelName> for ChannelName {
    fn from(name: &ChannelName) -> Self {
        name.clone()
    }
}

impl From<Infallible> for InvalidChannelName {
    fn from(never: Infallible) -> Self {
        match never {}
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
    fn names_outside_the_alphabet_are_rejected() {
        for name in ["test_channel:", ":test", "a\n", "\na", "a b", "é", "#other", "a#b", "a/b", "a\0"] {
            assert_eq!(ChannelName::new(name), Err(InvalidChannelName::Alphabet), "{name:?}");
        }
        assert_eq!(ChannelName::new(""), Err(InvalidChannelName::Empty));
        assert_eq!(ChannelName::new("#server-to-user-"), Err(InvalidChannelName::Empty));
    }

    #[test]
    fn a_name_has_at_most_164_characters() {
        assert!(ChannelName::new("a".repeat(164)).is_ok());
        assert_eq!(ChannelName::new("a".repeat(165)), Err(InvalidChannelName::TooLong));
    }

    #[test]
    fn the_kind_decides_what_a_subscription_needs() {
        use ChannelKind::*;
        for (kind, authorization, presence, encrypted, cache) in [
            (Public, false, false, false, false),
            (Cache, false, false, false, true),
            (Private, true, false, false, false),
            (PrivateCache, true, false, false, true),
            (PrivateEncrypted, true, false, true, false),
            (PrivateEncryptedCache, true, false, true, true),
            (Presence, true, true, false, false),
            (PresenceCache, true, true, false, true),
            (ServerToUser, false, false, false, false),
        ] {
            let answers =
                (kind.needs_authorization(), kind.is_presence(), kind.is_encrypted(), kind.is_cache());
            assert_eq!(answers, (authorization, presence, encrypted, cache), "{kind:?}");
        }
    }

    #[test]
    fn a_name_converts_from_and_to_text() {
        fn convert(name: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>) -> ChannelName {
            name.try_into().map_err(Into::into).unwrap()
        }
        let ada = ChannelName::new("private-ada").unwrap();
        assert_eq!("private-ada".parse(), Ok(ada.clone()));
        assert_eq!(convert("private-ada"), ada);
        assert_eq!(convert("private-ada".to_owned()), ada);
        let owned = ada.to_string();
        assert_eq!(convert(&owned), ada);
        assert_eq!(convert(&ada), ada);
        assert_eq!(convert(ada.clone()), ada);
        assert_eq!(
            (ada.as_str(), ada.as_ref(), &*ada.to_string()),
            ("private-ada", "private-ada", "private-ada")
        );
        assert_eq!(format!("{ada:?}"), r#""private-ada""#);
        assert_eq!(Borrow::<str>::borrow(&ada), "private-ada");
        assert_eq!("a b".parse::<ChannelName>(), Err(InvalidChannelName::Alphabet));
    }

    #[test]
    fn a_users_channel_has_the_documented_prefix() {
        assert_eq!(ChannelName::of_user("42").unwrap().as_str(), "#server-to-user-42");
        assert_eq!(ChannelName::of_user(""), Err(InvalidChannelName::Empty));
        assert_eq!(ChannelName::of_user("a b"), Err(InvalidChannelName::Alphabet));
    }

    #[test]
    fn the_alphabet_is_letters_digits_and_seven_signs() {
        assert!(ChannelName::is_alphabet("azAZ09_-=@,.;"));
        assert!(ChannelName::is_alphabet(""));
        assert!(!ChannelName::is_alphabet("a#"));
    }
}
