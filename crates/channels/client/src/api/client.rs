use std::collections::BTreeMap;

use pusher_protocol::{ChannelName, EventName, InvalidChannelName, InvalidEventName};
use pusher_signer::Signer;

use super::HttpApiBuilder;
use super::data_encoder::DataEncoder;
use super::http::Http;
use super::info::{self, Attribute, ChannelCounts, ChannelInfo};
use super::request::{ApiRequest, RetryWhen};
use super::response;
use super::trigger::{BatchEvent, Trigger, batch_body};
use crate::Error;

/// A client of the HTTP API of a Channels server: publishes events, queries channels, closes
/// connections. Cheap to clone; clones share their connections.
///
/// Requests are retried as [`Retry`](super::Retry) describes. If one fails nevertheless,
/// [`Error::is_retryable`] reports whether it may succeed later. The server may have processed a
/// request that failed with [`Timeout`](crate::ErrorKind::Timeout),
/// [`Network`](crate::ErrorKind::Network) or [`Server`](crate::ErrorKind::Server).
///
/// Channel and event names can be given as `&str`, `String`, [`ChannelName`] or [`EventName`].
#[derive(Clone)]
pub struct HttpApi {
    pub(super) http: Http,
    pub(super) app_id: String,
    pub(super) max_data_bytes: usize,
}

impl HttpApi {
    /// Creates a builder. `signer` contains the app's key and secret, and the master key for
    /// encrypted channels.
    pub fn builder(app_id: impl Into<String>, signer: Signer) -> HttpApiBuilder {
        HttpApiBuilder::new(app_id.into(), signer)
    }

    /// Creates a client from a URL, `https://KEY:SECRET@HOST[:PORT]/apps/ID`: the `PUSHER_URL` of
    /// Pusher's dashboard.
    ///
    /// # Errors
    /// As [`HttpApiBuilder::from_url`] and [`HttpApiBuilder::build`].
    pub fn from_url(url: &str) -> Result<Self, Error> {
        HttpApiBuilder::from_url(url)?.build()
    }

    /// Creates a client from the environment variables that [`HttpApiBuilder::from_lookup`] lists.
    ///
    /// # Errors
    /// As [`HttpApiBuilder::from_lookup`] and [`HttpApiBuilder::build`].
    pub fn from_env() -> Result<Self, Error> {
        HttpApiBuilder::from_lookup(|name| std::env::var(name).ok())?.build()
    }

    /// Returns the signer, for auth endpoints and webhooks.
    pub fn signer(&self) -> &Signer {
        &self.http.signer
    }

    /// Publishes an event on its channels (`POST /apps/{id}/events`). Returns the attributes that
    /// [`Trigger::info`] asks for, by channel; empty if it asks for none.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) without sending anything if the event
    /// breaks one of Pusher's limits. Otherwise the kind depends on the status of the response.
    pub async fn trigger(&self, event: &Trigger) -> Result<BTreeMap<String, ChannelCounts>, Error> {
        let body = event.body(&self.data_encoder())?;
        let response = self.http.send(&self.post_request("events", body, RetryWhen::NotProcessed)).await?;
        if event.info.is_empty() {
            response::accepted(&response)?;
            return Ok(BTreeMap::new());
        }
        response::channels(&response)
    }

    /// Publishes up to ten events in order (`POST /apps/{id}/batch_events`). If any of them asks
    /// for `info`, the result has an entry for each event, in order; otherwise it is empty.
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger).
    pub async fn trigger_batch(&self, events: &[BatchEvent]) -> Result<Vec<ChannelCounts>, Error> {
        let body = batch_body(events, &self.data_encoder())?;
        let response =
            self.http.send(&self.post_request("batch_events", body, RetryWhen::NotProcessed)).await?;
        if events.iter().all(|event| event.info.is_empty()) {
            response::accepted(&response)?;
            return Ok(Vec::new());
        }
        response::batch(&response, events.len())
    }

    /// Sends an event to all connections of a signed-in user (Pusher's "sending events to
    /// authenticated users").
    ///
    /// # Errors
    /// As [`trigger`](Self::trigger). Also returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) if
    /// the id contains characters that a channel name does not allow.
    pub async fn send_to_user(
        &self,
        user_id: &str,
        name: impl TryInto<EventName, Error: Into<InvalidEventName>>,
        data: impl Into<String>,
    ) -> Result<(), Error> {
        self.trigger(&Trigger::new([user_channel(user_id)?], name, data)?).await.map(drop)
    }

    /// Closes all connections of a signed-in user (`POST
    /// /apps/{id}/users/{user}/terminate_connections`). The user can reconnect unless the auth
    /// endpoints refuse (Pusher's "terminating user connections").
    ///
    /// # Errors
    /// As [`send_to_user`](Self::send_to_user).
    pub async fn terminate_user_connections(&self, user_id: &str) -> Result<(), Error> {
        user_channel(user_id)?;
        let path = format!("users/{user_id}/terminate_connections");
        self.http.send(&self.post_request(&path, b"{}".to_vec(), RetryWhen::Temporary)).await.map(drop)
    }

    /// Lists the channels that have subscribers, optionally those whose name begins with `prefix`
    /// (`GET /apps/{id}/channels`). The only possible attribute is [`Attribute::UserCount`], with a
    /// prefix of presence channels.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) for a request that the API would
    /// reject. Otherwise the kind depends on the status of the response.
    pub async fn channels(
        &self,
        prefix: Option<&str>,
        info: &[Attribute],
    ) -> Result<BTreeMap<String, ChannelCounts>, Error> {
        let presence = prefix.is_some_and(|prefix| prefix.starts_with("presence-"));
        if !info.iter().all(|attribute| *attribute == Attribute::UserCount && presence) {
            let message =
                "a list of channels has only the attribute user_count, with a prefix of presence channels";
            return Err(Error::limit(message));
        }
        if prefix.is_some_and(|prefix| !ChannelName::is_alphabet(prefix.trim_start_matches('#'))) {
            return Err(Error::limit("the prefix contains characters that a channel name does not allow"));
        }
        let mut query = info::query(info);
        query.extend(prefix.map(|prefix| ("filter_by_prefix", prefix.to_owned())));
        response::channels(&self.http.send(&self.get_request("channels", query)).await?)
    }

    /// Returns whether a channel has subscribers, and the requested attributes
    /// (`GET /apps/{id}/channels/{name}`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) if the user count is requested of a
    /// channel that is not a presence channel. Otherwise the kind depends on the status of the
    /// response.
    pub async fn channel(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
        info: &[Attribute],
    ) -> Result<ChannelInfo, Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        if info.contains(&Attribute::UserCount) && !channel.kind().is_presence() {
            return Err(Error::limit("only presence channels have a user count"));
        }
        let path = format!("channels/{}", url_encode(&channel));
        response::channel(&self.http.send(&self.get_request(&path, info::query(info))).await?)
    }

    /// Returns the ids of the users in a presence channel, without duplicates
    /// (`GET /apps/{id}/channels/{name}/users`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) for another kind of channel. Otherwise
    /// the kind depends on the status of the response.
    pub async fn users(
        &self,
        channel: impl TryInto<ChannelName, Error: Into<InvalidChannelName>>,
    ) -> Result<Vec<String>, Error> {
        let channel = channel.try_into().map_err(Into::into)?;
        if !channel.kind().is_presence() {
            return Err(Error::limit("only presence channels have users"));
        }
        let path = format!("channels/{}/users", url_encode(&channel));
        response::users(&self.http.send(&self.get_request(&path, Vec::new())).await?)
    }

    /// Sends a signed GET request for a call that this version does not know, and returns the body
    /// of the response. `path` follows `/apps/{id}/`, percent-encoded where needed. It is retried
    /// after every temporary failure.
    ///
    /// # Errors
    /// Returns [`ErrorKind::Limit`](crate::ErrorKind::Limit) for a path that cannot be part of a
    /// URL, and [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a parameter that
    /// the signature uses. Otherwise the kind depends on the status of the response.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
        let query = query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        self.http.send(&self.get_request(path.trim_start_matches('/'), query)).await
    }

    /// Sends a signed POST request with a JSON body, as [`get`](Self::get). It is retried only if
    /// the server did not process it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post(&self, path: &str, body: impl Into<String>) -> Result<Vec<u8>, Error> {
        let body = body.into().into_bytes();
        let path = path.trim_start_matches('/');
        self.http.send(&self.post_request(path, body, RetryWhen::NotProcessed)).await
    }

    fn post_request(&self, path: &str, body: Vec<u8>, retry_when: RetryWhen) -> ApiRequest<'static> {
        ApiRequest { path: self.path(path), query: Vec::new(), body: Some(body), retry_when }
    }

    fn get_request<'q>(&self, path: &str, query: Vec<(&'q str, String)>) -> ApiRequest<'q> {
        ApiRequest { path: self.path(path), query, body: None, retry_when: RetryWhen::Temporary }
    }

    fn path(&self, path: &str) -> String {
        format!("/apps/{}/{path}", self.app_id)
    }

    fn data_encoder(&self) -> DataEncoder<'_> {
        DataEncoder { signer: &self.http.signer, max_bytes: self.max_data_bytes }
    }
}

fn user_channel(user_id: &str) -> Result<ChannelName, Error> {
    ChannelName::of_user(user_id)
        .map_err(|error| Error::limit("the user id cannot be part of a channel name").with_cause(error))
}

/// Encodes a channel name for a URL path: `#` is its only character that needs it.
fn url_encode(channel: &ChannelName) -> String {
    channel.as_str().replace('#', "%23")
}

impl std::fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpApi")
            .field("base", &self.http.base)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}
