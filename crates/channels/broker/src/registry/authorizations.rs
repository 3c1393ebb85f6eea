use std::collections::BTreeMap;

use pusher_protocol::ChannelName;
use thiserror::Error;
use tokio::time::Instant;

/// The recorded authorizations of one connection, by channel. A sign-in is recorded under its
/// user's own channel.
///
/// Since they are kept by channel, a user who requests a signature for somebody else's connection
/// only affects its own channels there.
#[derive(Debug, Default)]
pub(crate) struct Authorizations(BTreeMap<ChannelName, Authorization>);

#[derive(Debug)]
enum Authorization {
    Granted { expires: Option<Instant> },
    Revoked,
}

/// The authorization was revoked, and no new one was recorded since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the authorization was revoked: authorize again")]
pub(crate) struct Revoked;

impl Authorizations {
    /// Records an authorization. The earliest expiry of a channel wins.
    pub(crate) fn record(&mut self, channel: &ChannelName, expires: Option<Instant>) {
        let expires = [self.expiry(channel).ok().flatten(), expires].into_iter().flatten().min();
        self.0.insert(channel.clone(), Authorization::Granted { expires });
    }

    /// Revokes the authorization recorded for a channel.
    pub(crate) fn revoke(&mut self, channel: &ChannelName) {
        if let Some(authorization) = self.0.get_mut(channel) {
            *authorization = Authorization::Revoked;
        }
    }

    /// Returns the channels for which an authorization was recorded.
    pub(super) fn channels(&self) -> impl Iterator<Item = &ChannelName> {
        self.0.keys()
    }

    /// Returns when the authorization for a channel expires, if it was recorded and expires at all.
    ///
    /// # Errors
    /// Returns [`Revoked`] if it was revoked.
    pub(crate) fn expiry(&self, channel: &ChannelName) -> Result<Option<Instant>, Revoked> {
        match self.0.get(channel) {
            None => Ok(None),
            Some(Authorization::Granted { expires }) => Ok(*expires),
            Some(Authorization::Revoked) => Err(Revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_earliest_expiry_of_a_channel_wins_until_it_is_revoked() {
        let [ada, bob]: [ChannelName; 2] = ["private-ada", "private-bob"].map(|name| name.parse().unwrap());
        let (mut authorizations, soon) = (Authorizations::default(), Instant::now());
        let late = soon + Duration::from_secs(1);
        authorizations.revoke(&ada);
        assert!(authorizations.0.is_empty(), "revoking an unknown authorization stores nothing");
        for expires in [None, Some(late), Some(soon), Some(late), None] {
            authorizations.record(&ada, expires);
        }
        authorizations.record(&bob, None);
        assert_eq!((authorizations.expiry(&ada), authorizations.expiry(&bob)), (Ok(Some(soon)), Ok(None)));
        authorizations.revoke(&ada);
        assert_eq!((authorizations.expiry(&ada), authorizations.expiry(&bob)), (Err(Revoked), Ok(None)));
        authorizations.record(&ada, Some(late));
        assert_eq!(authorizations.expiry(&ada), Ok(Some(late)));
    }
}
