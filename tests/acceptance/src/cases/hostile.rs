//! Malicious and malformed input on every route. It is rejected clearly, loses nothing, lets nobody
//! in and leaves the process running.

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
