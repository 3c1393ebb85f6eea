use internal_notifications_models::UserId;
use pusher_protocol::{ChannelKind, ChannelName};

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const CHANNEL_PREFIX: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX",
    method: "with_channel_prefix",
    default: Some("private-"),
    allowed: "a text of letters, digits and `_-=@,.;` that begins with private-, but not with private-encrypted- or private-cache-",
    purpose: "The prefix of a user's channel; the user's id follows it.",
};

/// The prefix that, followed by a user's id, makes the name of the user's own channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPrefix(String);

/// The error for a user who can have no private channel: its name would be too long, or of another
/// kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel prefix and this user id do not make a private channel")]
pub struct UnservedUser;

impl ChannelPrefix {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        variables.text(&CHANNEL_PREFIX).map_or_else(|| Ok(Self::default()), Self::new)
    }

    /// Parses a prefix.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if it does not begin with `private-`, contains characters that
    /// Pusher does not allow, leaves no room for an id, or makes another kind of channel.
    pub fn new(prefix: impl Into<String>) -> Result<Self, ConfigError> {
        let prefix = Self(prefix.into());
        if prefix.0.starts_with("private-") && prefix.with("a").is_ok() {
            return Ok(prefix);
        }
        Err(ConfigError::not_allowed(&CHANNEL_PREFIX, &prefix.0))
    }

    /// Returns the name of the user's own channel.
    ///
    /// # Errors
    /// Returns [`UnservedUser`] if prefix and id together do not name a private channel, such as
    /// `private-enc` and `rypted-x`.
    pub fn channel(&self, user_id: &UserId) -> Result<ChannelName, UnservedUser> {
        self.with(user_id.as_str())
    }

    fn with(&self, user_id: &str) -> Result<ChannelName, UnservedUser> {
        let name = ChannelName::new(format!("{}{user_id}", self.0)).map_err(|_| UnservedUser)?;
        if name.kind() == ChannelKind::Private { Ok(name) } else { Err(UnservedUser) }
    }
}

impl Default for ChannelPrefix {
    fn default() -> Self {
        Self("private-".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_and_id_are_checked_together() {
        let prefix = ChannelPrefix::new("private-enc").expect("it begins with private-");
        let user = |id: &str| UserId::new(id).expect("valid");
        assert_eq!(prefix.channel(&user("ada")).map(|name| name.to_string()), Ok("private-encada".into()));
        assert_eq!(prefix.channel(&user("rypted-x")), Err(UnservedUser));
    }

    #[test]
    fn a_name_that_is_too_long_is_rejected() {
        let prefix =
            ChannelPrefix::new(format!("private-{}", "p".repeat(50))).expect("room for one character");
        assert_eq!(prefix.channel(&UserId::new("u".repeat(120)).expect("valid")), Err(UnservedUser));
    }

    #[test]
    fn only_prefixes_of_private_channels_are_accepted() {
        for wrong in
            ["", "public-", "presence-", "private", "private-encrypted-", "private-cache-", "private-a b"]
        {
            assert!(ChannelPrefix::new(wrong).is_err(), "{wrong}");
        }
        assert!(ChannelPrefix::new("private-app.inbox-").is_ok());
    }
}
