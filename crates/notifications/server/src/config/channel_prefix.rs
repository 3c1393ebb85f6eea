use internal_notifications_models::UserId;
use pusher_protocol::{ChannelKind, ChannelName};

use super::ConfigError;
use super::variables::Variables;

const NAME: &str = "INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX";

/// What stands before the user's id in the name of the user's own channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPrefix(String);

/// A user whose channel would be of another kind, or whose name would be too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this user id makes no private channel with this server's channel prefix")]
pub struct UnservedUser;

impl ChannelPrefix {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        variables.text(NAME).map_or_else(|| Ok(Self::default()), Self::new)
    }

    /// Checks a prefix.
    ///
    /// # Errors
    /// It begins with something else than `private-`, has characters outside Pusher's alphabet, is too long to leave room for an id, or makes
    /// channels of another kind.
    pub fn new(prefix: impl Into<String>) -> Result<Self, ConfigError> {
        let prefix = Self(prefix.into());
        if prefix.0.starts_with("private-") && prefix.with("a").is_ok() {
            return Ok(prefix);
        }
        Err(ConfigError::new(
            NAME,
            format!(
                "{:?} is not allowed; it may be anything of letters, digits and _-=@,.; that begins with private- but makes no encrypted or cache channel",
                prefix.0
            ),
        ))
    }

    /// The user's own channel.
    ///
    /// # Errors
    /// [`UnservedUser`]: prefix and id together are no private channel (`private-enc` and `rypted-x`).
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
    fn prefix_and_id_are_judged_together() {
        let prefix = ChannelPrefix::new("private-enc").expect("it begins with private-");
        let user = |id: &str| UserId::new(id).expect("valid");
        assert_eq!(prefix.channel(&user("ada")).map(|name| name.to_string()), Ok("private-encada".into()));
        assert_eq!(prefix.channel(&user("rypted-x")), Err(UnservedUser));
    }

    #[test]
    fn a_name_that_is_too_long_is_no_channel() {
        let prefix =
            ChannelPrefix::new(format!("private-{}", "p".repeat(50))).expect("room for one character");
        assert_eq!(prefix.channel(&UserId::new("u".repeat(120)).expect("valid")), Err(UnservedUser));
    }

    #[test]
    fn only_prefixes_of_private_channels_are_taken() {
        for wrong in
            ["", "public-", "presence-", "private", "private-encrypted-", "private-cache-", "private-a b"]
        {
            assert!(ChannelPrefix::new(wrong).is_err(), "{wrong}");
        }
        assert!(ChannelPrefix::new("private-app.inbox-").is_ok());
    }
}
