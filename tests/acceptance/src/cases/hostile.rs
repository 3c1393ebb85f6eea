//! Input of every bad kind, on every route: a clear refusal, nothing lost, nobody in, the process up.

mod channel_auth;
mod channels_api;
mod credentials;
mod hosts;
mod opening;
mod pushes;
mod queries;
mod raw_http;
mod routes;
mod websocket;

pub(crate) use channels_api::{good_event, wrong_event};
