use std::collections::BTreeMap;

use pusher_protocol::{ChannelName, EventName};
use pusher_signer::Signer;

use super::HttpApiBuilder;
use super::answer;
use super::call::{Call, Repeat};
use super::info::{self, Attribute, ChannelCounts, ChannelInfo};
use super::retry::Retry;
use super::sealing::Sealing;
use super::trigger::{BatchEvent, Trigger, batch_body, limit};
use crate::Error;

/// The HTTP API of a Channels server: publishes events, asks about channels, closes users' connections. Cheap to clone;
/// clones share their connections.
///
/// What may be sent again is, as [`Retry`] says. [`Error::is_retryable`] tells whether a call that failed nevertheless may
/// succeed later; one that failed with [`ErrorKind::Timeout`](crate::ErrorKind::Timeout),
/// [`ErrorKind::Network`](crate::ErrorKind::Network) or [`ErrorKind::Server`](crate::ErrorKind::Server) may have been carried out.
#[derive(Clone)]
pub struct HttpApi {
    pub(super) client: reqwest::Client,
    pub(super) base: String,
    pub(super) app_id: String,
    pub(super) signer: Signer,
    pub(super) retry: Retry,
    pub(super) max_data_bytes: usize,
}

impl HttpApi {
    /// The API of an app; `signer` holds its key and secret, and its master key for encrypted channels.
    pub fn builder(app_id: impl Into<String>, signer: Signer) -> HttpApiBuilder {
        HttpApiBuilder::new(app_id.into(), signer)
    }

    /// The API that a URL names, `https://KEY:SECRET@HOST[:PORT]/apps/ID`: what Pusher's dashboard shows as `PUSHER_URL`.
    ///
    /// # Errors
    /// As [`HttpApiBuilder::from_url`] and [`HttpApiBuilder::build`].
    pub fn from_url(url: &str) -> Result<Self, Error> {
        HttpApiBuilder::from_url(url)?.build()
    }

    /// The API that the process's environment names; [`HttpApiBuilder::from_lookup`] lists the variables.
    ///
    /// # Errors
    /// As [`HttpApiBuilder::from_lookup`] and [`HttpApiBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        HttpApiBuilder::from_lookup(|name| std::env::var(name).ok())?.build()
    }

    /// The app's signer, for auth endpoints and webhooks.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Publishes an event on its channels (`POST /apps/{id}/events`). The answer has what [`Trigger::info`] asked for, by
    /// channel; nothing when it asked for nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) before anything is sent, when one of Pusher's limits would be broken;
    /// otherwise by the status of the answer.
    pub async fn trigger(&self, event: &Trigger) -> Result<BTreeMap<String, ChannelCounts>, Error> {
        let body = event.body(&self.sealing())?;
        let answer = self.send(&self.post("events", body, Repeat::IfUndone)).await?;
        if event.info.is_empty() { Ok(BTreeMap::new()) } else { answer::channels(&answer) }
    }

    /// Publishes up to ten events, in order (`POST /apps/{id}/batch_events`). If one of them asks for `info`, the answer has
    /// an entry for each, in the same order; otherwise none.
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger).
    pub async fn trigger_batch(&self, events: &[BatchEvent]) -> Result<Vec<ChannelCounts>, Error> {
        let body = batch_body(events, &self.sealing())?;
        let answer = self.send(&self.post("batch_events", body, Repeat::IfUndone)).await?;
        if events.iter().all(|event| event.info.is_empty()) {
            return Ok(Vec::new());
        }
        answer::batch(&answer, events.len())
    }

    /// Sends an event to every connection that is signed in as a user (Pusher's "sending events to authenticated users").
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger); the id must have characters of a channel name.
    pub async fn send_to_user(
        &self,
        user_id: &str,
        name: EventName,
        data: impl Into<String>,
    ) -> Result<(), Error> {
        self.trigger(&Trigger::new([user_channel(user_id)?], name, data)).await.map(drop)
    }

    /// Closes every connection that is signed in as a user (`POST /apps/{id}/users/{user}/terminate_connections`). The user
    /// may come back, unless the auth endpoints refuse it from now on (Pusher's "terminating user connections").
    ///
    /// # Errors
    /// As [`send_to_user`](Self::send_to_user).
    pub async fn terminate_user_connections(&self, user_id: &str) -> Result<(), Error> {
        user_channel(user_id)?;
        let call = format!("users/{user_id}/terminate_connections");
        self.send(&self.post(&call, b"{}".to_vec(), Repeat::Freely)).await.map(drop)
    }

    /// The channels that have subscribers, by name; of them those whose name begins with `prefix`, if one is given
    /// (`GET /apps/{id}/channels`). Only [`Attribute::UserCount`] may be asked for, and only with a prefix of presence
    /// channels.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) for what the API would refuse; otherwise by the status of the answer.
    pub async fn channels(
        &self,
        prefix: Option<&str>,
        info: &[Attribute],
    ) -> Result<BTreeMap<String, ChannelCounts>, Error> {
        let presence = prefix.is_some_and(|prefix| prefix.starts_with("presence-"));
        if !info.iter().all(|attribute| *attribute == Attribute::UserCount && presence) {
            return Err(limit("of several channels only user_count is told, and that of presence channels"));
        }
        if prefix.is_some_and(|prefix| !ChannelName::is_alphabet(prefix.trim_start_matches('#'))) {
            return Err(limit("no channel's name begins with this prefix"));
        }
        let mut query = info::query(info);
        query.extend(prefix.map(|prefix| ("filter_by_prefix", prefix.to_owned())));
        answer::channels(&self.send(&self.get("channels", query)).await?)
    }

    /// What is known of one channel (`GET /apps/{id}/channels/{name}`): whether it has subscribers, and the attributes
    /// asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) for the user count of a channel that is no presence channel; otherwise
    /// by the status of the answer.
    pub async fn channel(&self, channel: &ChannelName, info: &[Attribute]) -> Result<ChannelInfo, Error> {
        if info.contains(&Attribute::UserCount) && !channel.kind().is_presence() {
            return Err(limit("only presence channels have a user count"));
        }
        let call = format!("channels/{}", in_path(channel));
        answer::channel(&self.send(&self.get(&call, info::query(info))).await?)
    }

    /// The ids of the users in a presence channel, each once (`GET /apps/{id}/channels/{name}/users`).
    ///
    /// # Errors
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit) for another kind of channel; otherwise by the status of the answer.
    pub async fn users(&self, channel: &ChannelName) -> Result<Vec<String>, Error> {
        if !channel.kind().is_presence() {
            return Err(limit("only presence channels have users"));
        }
        let call = format!("channels/{}/users", in_path(channel));
        answer::users(&self.send(&self.get(&call, Vec::new())).await?)
    }

    fn post(&self, call: &str, body: Vec<u8>, repeat: Repeat) -> Call {
        Call { path: self.path(call), query: Vec::new(), body: Some(body), repeat }
    }

    fn get(&self, call: &str, query: Vec<(&'static str, String)>) -> Call {
        Call { path: self.path(call), query, body: None, repeat: Repeat::Freely }
    }

    fn path(&self, call: &str) -> String {
        format!("/apps/{}/{call}", self.app_id)
    }

    fn sealing(&self) -> Sealing<'_> {
        Sealing { signer: &self.signer, max_data_bytes: self.max_data_bytes }
    }
}

/// The channel of a signed-in user, whose limits are the user id's.
fn user_channel(user_id: &str) -> Result<ChannelName, Error> {
    ChannelName::new(format!("#server-to-user-{user_id}"))
        .map_err(|why| limit(format!("the user id makes no channel: {why}")))
}

/// Of what a channel's name may have, only the `#` would end a path.
fn in_path(channel: &ChannelName) -> String {
    channel.as_str().replace('#', "%23")
}

impl std::fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi")
            .field("base", &self.base)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
