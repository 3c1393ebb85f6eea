use futures_util::StreamExt;
use pusher_protocol::{CloseCode, ErrorData, Frame, Handshake, SocketId, names};
use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::BoxTransport;
use super::inbound::problem;
use super::loss::Loss;
use super::session::{Session, Socket, broken, closed};
use super::settings::Settings;

/// Events are small and few compared with what the library's own defaults (128 KiB) are made for.
const READ_BUFFER: usize = 16 * 1024;
/// Room for the pongs that a server does not take, and for what is sent meanwhile; more is a broken connection.
const WRITE_BUFFER: usize = 1024 * 1024;

/// One attempt: TCP, TLS, the upgrade, and the server's first event, under one time-out.
pub(crate) async fn dial(settings: Settings) -> Result<(Session, SocketId), Loss> {
    let limit = settings.limits.connect_timeout;
    match timeout(limit, establish(&settings)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(Loss::Broken("the attempt took too long")),
    }
}

async fn establish(settings: &Settings) -> Result<(Session, SocketId), Loss> {
    let transport = secure(settings, open(settings).await?).await?;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(settings.limits.max_message))
        .max_frame_size(Some(settings.limits.max_message));
    let (mut socket, _) = client_async_with_config(settings.url.as_str(), transport, Some(config))
        .await
        .map_err(|error| broken(&error))?;
    let handshake = first_event(&mut socket).await?;
    let activity = settings.limits.activity_timeout;
    let activity = activity.min(std::time::Duration::from_secs(handshake.activity_timeout));
    Ok((Session::new(socket, activity, settings.limits.pong_timeout), handshake.socket_id))
}

async fn open(settings: &Settings) -> Result<BoxTransport, Loss> {
    let endpoint = &settings.endpoint;
    settings.connector.connect(&endpoint.host, endpoint.port).await.map_err(|error| {
        tracing::debug!(error.kind = %error.kind(), "could not connect");
        Loss::Broken("the server could not be reached")
    })
}

async fn secure(settings: &Settings, transport: BoxTransport) -> Result<BoxTransport, Loss> {
    let Some(tls) = &settings.tls else { return Ok(transport) };
    let name = ServerName::try_from(settings.endpoint.host.clone())
        .map_err(|_| Loss::Broken("the host cannot be used with TLS"))?;
    match TlsConnector::from(tls.clone()).connect(name, transport).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            tracing::debug!(%error, "TLS failed");
            Err(Loss::Broken("TLS failed"))
        }
    }
}

/// Reads up to `pusher:connection_established`; anything else of the protocol in its place is a refusal.
async fn first_event(socket: &mut Socket) -> Result<Handshake, Loss> {
    let text = loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => break text,
            Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(Loss::Broken("the connection ended before it was established")),
        }
    };
    let frame = Frame::parse(&text).map_err(|_| Loss::Broken("the server's first message is no event"))?;
    match &*frame.event {
        names::CONNECTION_ESTABLISHED => {
            Handshake::parse(frame.data()).map_err(|_| Loss::Broken("the server's handshake is malformed"))
        }
        names::ERROR => Err(refusal(ErrorData::parse(frame.data()))),
        _ => Err(Loss::Broken("the server's first event is not the handshake")),
    }
}

fn refusal(answer: ErrorData) -> Loss {
    match answer.code {
        Some(code) => Loss::Closed(CloseCode(code), problem(answer).to_string()),
        None => Loss::Broken("the server answered the connection with an error"),
    }
}
