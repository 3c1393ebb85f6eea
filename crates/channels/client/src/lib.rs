// The README shows every feature, so its code compiles only with all of them.
#![cfg_attr(all(feature = "http", feature = "websocket"), doc = include_str!("../README.md"))]
#![cfg_attr(
    not(all(feature = "http", feature = "websocket")),
    doc = "A client for Pusher Channels: WebSocket and HTTP API."
)]

#[cfg(any(feature = "websocket", feature = "http"))]
mod connect_error;
#[cfg(any(feature = "websocket", feature = "http"))]
mod endpoint;
#[cfg(any(feature = "websocket", feature = "http"))]
mod error;
#[cfg(any(feature = "websocket", feature = "http"))]
mod proxy;
#[cfg(any(feature = "websocket", feature = "http"))]
mod resolver;
#[cfg(any(feature = "websocket", feature = "http"))]
mod roots;

#[cfg(feature = "http")]
mod api;
#[cfg(feature = "websocket")]
mod authorizer;
#[cfg(feature = "websocket")]
mod websocket;

#[cfg(feature = "http")]
pub use api::{
    Attribute, BatchEvent, CachedEvent, ChannelCounts, ChannelInfo, HttpApi, HttpApiBuilder, Retry, Trigger,
};
#[cfg(feature = "websocket")]
pub use authorizer::{
    AuthorizationError, AuthorizationErrorKind, AuthorizationRequest, Authorizer, SigningAuthorizer,
    UserAuthenticationRequest, UserAuthenticator,
};
#[cfg(all(feature = "websocket", feature = "http"))]
pub use authorizer::{FieldProvider, HttpAuthorizer, HttpAuthorizerBuilder, TokenProvider};
#[cfg(feature = "http")]
#[doc(hidden)]
pub use connect_error::http_error;
#[cfg(any(feature = "websocket", feature = "http"))]
pub use error::{Error, ErrorKind};
#[cfg(any(feature = "websocket", feature = "http"))]
pub use roots::Roots;
#[cfg(feature = "websocket")]
pub use websocket::{
    Binding, BoundEvent, BoxTransport, ChannelEvent, Client, ClientBuilder, ConnectionState, Connector,
    Errors, Event, Member, Members, States, Subscription, TcpConnector, Transport, User, UserEvent,
};

pub use pusher_protocol as protocol;
pub use pusher_protocol::{Backoff, ChannelName, EventName, SocketId, UserData};
pub use pusher_signer::{ChannelAuthorization, EncryptionMasterKey, Signer, UserAuthentication};
