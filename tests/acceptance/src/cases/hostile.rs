//! Tests malicious and malformed input on every route. It must get a clear rejection, and must not
//! lose data, grant access or end the process.

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
