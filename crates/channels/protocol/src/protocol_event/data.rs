//! The `data` of the protocol's events, as it is written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
pub(super) struct Subscribe<'a> {
    pub(super) channel: &'a str,
    pub(super) auth: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel_data: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Unsubscribe<'a> {
    pub(super) channel: &'a str,
}

#[derive(Serialize)]
pub(super) struct SignIn<'a> {
    pub(super) auth: &'a str,
    pub(super) user_data: &'a str,
}

#[derive(Serialize)]
pub(super) struct ConnectionEstablished<'a> {
    pub(super) socket_id: &'a str,
    pub(super) activity_timeout: u64,
}

#[derive(Serialize)]
pub(super) struct PresenceSucceeded<'a> {
    pub(super) presence: Presence<'a>,
}

#[derive(Serialize)]
pub(super) struct Presence<'a> {
    pub(super) ids: Vec<&'a str>,
    pub(super) hash: &'a BTreeMap<&'a str, Option<&'a RawValue>>,
    pub(super) count: usize,
}

#[derive(Serialize)]
pub(super) struct Member<'a> {
    pub(super) user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_info: Option<&'a RawValue>,
}

#[derive(Serialize)]
pub(super) struct SubscriptionCount {
    pub(super) subscription_count: usize,
}

#[derive(Serialize)]
pub(super) struct SignedIn<'a> {
    pub(super) user_data: &'a str,
}

#[derive(Serialize)]
pub(super) struct WatchlistEvents<'a> {
    pub(super) events: Vec<WatchlistEvent<'a>>,
}

#[derive(Serialize)]
pub(super) struct WatchlistEvent<'a> {
    pub(super) name: &'a str,
    pub(super) user_ids: &'a [&'a str],
}

/// A frame without data.
#[derive(Serialize)]
pub(super) struct CacheMiss<'a> {
    pub(super) event: &'a str,
    pub(super) channel: &'a str,
}

#[derive(Serialize)]
pub(super) struct Error<'a> {
    pub(super) code: Option<u16>,
    pub(super) message: &'a str,
}

#[derive(Serialize)]
pub(super) struct Empty {}
