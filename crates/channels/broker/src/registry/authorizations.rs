use std::collections::BTreeMap;

use pusher_protocol::ChannelName;
use thiserror::Error;
use tokio::time::Instant;

/// What was told of the signatures that one connection was given: each is one of a channel, or of a sign-in, by its user's channel. So
/// whoever asks for a signature for another's connection gets one of its own channel, and changes nothing of the other's.
#[derive(Debug, Default)]
pub(crate) struct Authorizations(BTreeMap<ChannelName, Authorization>);

#[derive(Debug)]
enum Authorization {
    Given { until: Option<Instant> },
    Revoked,
}

/// Nothing was signed since what was signed before was called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the authorization was called back: authorize again")]
pub(crate) struct Revoked;

impl Authorizations {
    /// A signature was made that is good until then. Of several times the soonest stands.
    pub(crate) fn give(&mut self, channel: &ChannelName, until: Option<Instant>) {
        let until = [self.until(channel).ok().flatten(), until].into_iter().flatten().min();
        self.0.insert(channel.clone(), Authorization::Given { until });
    }

    /// What was signed for the channel before is good no more.
    pub(crate) fn revoke(&mut self, channel: &ChannelName) {
        if let Some(authorization) = self.0.get_mut(channel) {
            *authorization = Authorization::Revoked;
        }
    }

    /// Until when the channel's signature is good, if that was told and it ends.
    ///
    /// # Errors
    /// [`Revoked`].
    pub(crate) fn until(&self, channel: &ChannelName) -> Result<Option<Instant>, Revoked> {
        match self.0.get(channel) {
            None => Ok(None),
            Some(Authorization::Given { until }) => Ok(*until),
            Some(Authorization::Revoked) => Err(Revoked),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_told_counts_for_its_channel_until_it_is_called_back() {
        let [ada, bob]: [ChannelName; 2] = ["private-ada", "private-bob"].map(|name| name.parse().unwrap());
        let (mut authorizations, soon) = (Authorizations::default(), Instant::now());
        let late = soon + Duration::from_secs(1);
        // Of what was never given there is nothing to keep.
        authorizations.revoke(&ada);
        assert!(authorizations.0.is_empty());
        for until in [None, Some(late), Some(soon), Some(late), None] {
            authorizations.give(&ada, until);
        }
        authorizations.give(&bob, None);
        assert_eq!((authorizations.until(&ada), authorizations.until(&bob)), (Ok(Some(soon)), Ok(None)));
        authorizations.revoke(&ada);
        assert_eq!((authorizations.until(&ada), authorizations.until(&bob)), (Err(Revoked), Ok(None)));
        authorizations.give(&ada, Some(late));
        assert_eq!(authorizations.until(&ada), Ok(Some(late)));
    }
}
