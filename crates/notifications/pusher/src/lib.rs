#![cfg_attr(feature = "websocket", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "websocket"), doc = "Pushes to an inbox server, for backends: [`InboxClient`].")]

mod api;
mod http;
mod inbox_client;
#[cfg(feature = "websocket")]
mod service;

pub use http::{HttpBody, HttpClient, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BYTES};
pub use inbox_client::{InboxClient, InboxClientBuilder};
#[cfg(feature = "websocket")]
pub use service::{Channels, Credentials, Identity, PusherService, PusherServiceBuilder, Update, Updates};

pub use internal_notifications_models as models;
pub use internal_notifications_service as contract;
pub use pusher_client;
