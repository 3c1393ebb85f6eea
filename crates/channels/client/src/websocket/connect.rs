use std::time::Duration;

use futures_util::StreamExt;
use pusher_protocol::{CloseCode, ErrorData, Frame, Handshake, SocketId, names};
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::BoxTransport;
use super::disconnect_reason::DisconnectReason;
use super::server_message::server_error;
use super::session::{Session, Socket, broken, closed};
use super::settings::Settings;
use crate::{Error, ErrorKind, connect_error};

/// The read buffer. Events are small and rare compared with the library's default of 128 KiB.
const READ_BUFFER: usize = 16 * 1024;
/// The largest write buffer, for pongs that the server does not read. Above it the connection is
/// broken.
const WRITE_BUFFER: usize = 1024 * 1024;

/// Makes one attempt to connect: TCP, TLS, the upgrade and the server's first event, under one
/// timeout.
pub(crate) async fn connect(settings: Settings) -> Result<(Session, SocketId), DisconnectReason> {
    let deadline = Deadline { at: Instant::now() + settings.limits.connect_timeout, settings: &settings };
    let transport = deadline.limit("the connection", open(&settings)).await?;
    let transport = deadline.limit("the TLS handshake", secure(&settings, transport)).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(settings.limits.max_message))
        .max_frame_size(Some(settings.limits.max_message));
    let upgrade = async {
        let upgraded = client_async_with_config(settings.url.as_str(), transport, Some(config)).await;
        upgraded.map(|(socket, _)| socket).map_err(broken)
    };
    let mut socket = deadline.limit("the upgrade to WebSocket", upgrade).await?;
    let handshake = deadline.limit("the Channels handshake", first_event(&mut socket)).await?;
    let server_timeout = Duration::from_secs(handshake.activity_timeout);
    let activity_timeout = settings.limits.activity_timeout.min(server_timeout);
    Ok((Session::new(socket, activity_timeout, settings.limits.pong_timeout), handshake.socket_id))
}

/// When the steps of an attempt must be done.
struct Deadline<'s> {
    at: Instant,
    settings: &'s Settings,
}

impl Deadline<'_> {
    /// Runs a step. The error of a late one names it.
    async fn limit<T>(
        &self,
        step: &str,
        running: impl Future<Output = Result<T, DisconnectReason>>,
    ) -> Result<T, DisconnectReason> {
        timeout_at(self.at, running).await.unwrap_or_else(|_elapsed| {
            let server = self.settings.endpoint.authority();
            let message = format!("{server} did not complete {step} in time");
            Err(DisconnectReason::Failed(Error::new(ErrorKind::Timeout, message)))
        })
    }
}

async fn open(settings: &Settings) -> Result<BoxTransport, DisconnectReason> {
    let endpoint = &settings.endpoint;
    settings.connector.connect(&endpoint.host, endpoint.port).await.map_err(|error| {
        let known = error.downcast::<Error>();
        let error = known.unwrap_or_else(|error| connect_error::unreachable(&endpoint.authority(), error));
        DisconnectReason::Failed(error)
    })
}

async fn secure(settings: &Settings, transport: BoxTransport) -> Result<BoxTransport, DisconnectReason> {
    let Some(tls) = &settings.tls else { return Ok(transport) };
    let host = &settings.endpoint.host;
    let failed = |message: String| Error::new(ErrorKind::Network, message);
    let name = ServerName::try_from(host.clone()).map_err(|error| {
        DisconnectReason::Failed(failed(format!("TLS cannot verify the host {host}")).with_cause(error))
    })?;
    match TlsConnector::from(tls.clone()).connect(name, transport).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(DisconnectReason::Failed(match connect_error::find::<rustls::Error>(&error) {
            Some(error) => connect_error::tls(host, error),
            None => failed(format!("the TLS handshake with {host} failed")).with_cause(error),
        })),
    }
}

/// Reads messages up to `pusher:connection_established`. Any other event instead of it is a
/// failure.
async fn first_event(socket: &mut Socket) -> Result<Handshake, DisconnectReason> {
    let failed = DisconnectReason::failed;
    let text = loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(broken(error)),
            None => return Err(failed("the connection ended before the server's first event")),
        }
    };
    let frame = Frame::parse(&text).map_err(|_| failed("the server's first message is not an event"))?;
    match &*frame.event {
        names::CONNECTION_ESTABLISHED => Handshake::parse(frame.data())
            .map_err(|_| failed("the server's pusher:connection_established is malformed")),
        names::ERROR => Err(rejection(ErrorData::parse(frame.data()))),
        _ => Err(failed("the server's first event is not pusher:connection_established")),
    }
}

fn rejection(data: ErrorData) -> DisconnectReason {
    match data.code {
        Some(code) => DisconnectReason::Closed(CloseCode(code), server_error(data).to_string()),
        None => {
            let error = Error::new(ErrorKind::Network, "the server rejected the connection");
            DisconnectReason::Failed(error.with_cause(server_error(data)))
        }
    }
}
