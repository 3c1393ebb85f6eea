use std::net::IpAddr;

use axum::extract::{FromRequestParts, Path, State};
use axum::http::header::{
    CONNECTION, HeaderName, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, Version};
use axum::response::{AppendHeaders, IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use pusher_protocol::CloseCode;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::apps::Apps;
use crate::client_address::client_address;
use crate::close::Close;
use crate::connection;
use crate::frame_stream::FrameStream;
use crate::limits::Limits;
use crate::room::{Entry, FULL_ADDRESS};
use crate::shared::{Permit, Shared};

/// `GET /app/{key}`: accepts a WebSocket. Clients expect errors about the app or the protocol
/// version as close codes of the WebSocket, so those connections are accepted first.
pub(crate) async fn accept(
    State(apps): State<Apps>,
    Path(key): Path<String>,
    uri: Uri,
    upgrade: Upgrade,
) -> Response {
    let app = apps.with_key(&key);
    // Any broker can turn away a client whose app is unknown.
    let shared = &app.unwrap_or(apps.first()).shared;
    if shared.registry.is_closed() {
        return (StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down").into_response();
    }
    let (permit, entry) = shared.admit(upgrade.address);
    let room = match entry {
        Entry::Accept => Ok(()),
        Entry::Reject(close) => Err(close),
        Entry::Full(close) => {
            match close {
                FULL_ADDRESS => shared.counters.count_full_address(upgrade.address),
                _ => shared.counters.count_turned_away(),
            }
            return (StatusCode::SERVICE_UNAVAILABLE, close.reason).into_response();
        }
    };
    let admitted = if app.is_none() {
        Err(Close::new(CloseCode::UNKNOWN_APP, "App key does not exist"))
    } else if !is_supported_protocol(&uri) {
        Err(Close::new(CloseCode::UNSUPPORTED_PROTOCOL, "Unsupported protocol version"))
    } else if !shared.allows_origin(upgrade.origin.as_ref()) {
        Err(Close::new(CloseCode::UNAUTHORIZED, "Origin not allowed"))
    } else {
        room
    };
    if admitted == Err(FULL_ADDRESS) {
        shared.counters.count_full_address(upgrade.address);
    }
    let response = upgrade.response();
    tokio::spawn(serve(upgrade.connection, permit, admitted));
    response
}

async fn serve(upgrade: OnUpgrade, permit: Permit, admitted: Result<(), Close>) {
    let Ok(stream) = upgrade.await else { return };
    let config = config(&permit.shared);
    let stream = FrameStream::new(TokioIo::new(stream));
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    connection::serve(socket, &permit.shared, admitted).await;
}

/// Starts with small buffers, since most connections are idle. The read buffer grows to the largest
/// frame from the client and never shrinks, hence the limit. Queued frames to the client are not
/// copied into a buffer.
fn config(shared: &Shared) -> WebSocketConfig {
    let longest = longest_frame(&shared.limits, shared.client_events);
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_message_size(Some(longest))
        .max_frame_size(Some(longest))
}

/// Enough bytes for what a client event has beside its data: the names of event and channel, even
/// if each character is escaped.
const EVENT_NAMES: usize = 4 * 1024;

/// Returns the most bytes of a frame from a client. JSON takes up to six for each byte of a client
/// event's data, and a client whose data is too long gets an error instead of being closed.
fn longest_frame(limits: &Limits, client_events: bool) -> usize {
    match client_events {
        true => limits.frame_bytes.max(limits.event_data.saturating_mul(6).saturating_add(EVENT_NAMES)),
        false => limits.frame_bytes,
    }
}

/// Protocols 5, 6 and 7 do not differ for a server. A client may leave the version out.
fn is_supported_protocol(uri: &Uri) -> bool {
    let parameters = uri.query().unwrap_or_default().split('&');
    let protocol = parameters.filter_map(|parameter| parameter.strip_prefix("protocol=")).next();
    protocol.is_none_or(|version| matches!(version, "5" | "6" | "7"))
}

/// The subprotocol that some clients offer, and expect the server to choose.
const SUBPROTOCOL: &str = "pusher-channels-protocol-7";

/// A valid WebSocket handshake (RFC 6455, section 4.2.1). No cookie is read.
pub(crate) struct Upgrade {
    key: String,
    /// Whether the client offers [`SUBPROTOCOL`].
    offers_subprotocol: bool,
    origin: Option<HeaderValue>,
    /// The address that the connection is counted under, if it is.
    address: Option<IpAddr>,
    connection: OnUpgrade,
}

impl Upgrade {
    fn response(&self) -> Response {
        let accept = derive_accept_key(self.key.as_bytes());
        let headers = [
            (CONNECTION, "Upgrade".to_owned()),
            (UPGRADE, "websocket".to_owned()),
            (SEC_WEBSOCKET_ACCEPT, accept),
        ];
        let protocol = self.offers_subprotocol.then_some((SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL.to_owned()));
        let headers = AppendHeaders(headers.into_iter().chain(protocol));
        (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
    }
}

impl FromRequestParts<Apps> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, apps: &Apps) -> Result<Self, Response> {
        let headers = &parts.headers;
        if parts.version != Version::HTTP_11 || !has_token(headers, &CONNECTION, "upgrade") {
            return Err(upgrade_required(
                "This is a WebSocket endpoint: use HTTP/1.1 with Connection: Upgrade",
            ));
        }
        if !has_token(headers, &UPGRADE, "websocket") {
            return Err(upgrade_required("This is a WebSocket endpoint: Upgrade: websocket is required"));
        }
        if !has_token(headers, &SEC_WEBSOCKET_VERSION, "13") {
            return Err(upgrade_required("Sec-WebSocket-Version: 13 is required"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
        let Some(key) = key.filter(|key| key.len() == 24).map(str::to_owned) else {
            let text = "Sec-WebSocket-Key must be base64 of 16 bytes";
            return Err((StatusCode::BAD_REQUEST, text).into_response());
        };
        let offers_subprotocol = has_token(headers, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
        let origin = headers.get(ORIGIN).cloned();
        let address = client_address(parts, &apps.first().shared.room.trusted_proxies);
        match parts.extensions.remove::<OnUpgrade>() {
            Some(connection) => Ok(Self { key, offers_subprotocol, origin, address, connection }),
            None => Err(upgrade_required("This connection cannot be upgraded")),
        }
    }
}

/// Returns whether a header's comma-separated values contain `token`, ignoring case.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

fn upgrade_required(text: &'static str) -> Response {
    let headers = [(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")];
    (StatusCode::UPGRADE_REQUIRED, headers, text).into_response()
}
