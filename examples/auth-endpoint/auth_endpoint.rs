//! A backend with its own login. Each user may subscribe to `private-{user}`, and to no other. It
//! answers 401 to an unknown session, 403 for another's channel, and 400 to a malformed request.
//!
//! `SESSIONS='secret=ada' PUSHER_APP_KEY=… PUSHER_APP_SECRET=… cargo run -p auth-endpoint -- ADDR`
#![allow(clippy::print_stdout, reason = "it prints where it listens")]

use std::collections::HashMap;
use std::env::{args, var};
use std::error::Error;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::{Json, Router, extract::State, routing::post};
use pusher_signer::{AuthRequest, ChannelAuthorization, Signer};

/// The backend's state: the user of each session, and the app's key and secret.
struct Backend {
    sessions: HashMap<String, String>,
    signer: Signer,
}

async fn authorize(
    State(backend): State<Arc<Backend>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ChannelAuthorization>, StatusCode> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let user = bearer.and_then(|bearer| backend.sessions.get(bearer)).ok_or(StatusCode::UNAUTHORIZED)?;

    let request = AuthRequest::parse(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let channel = request.channel.ok_or(StatusCode::BAD_REQUEST)?;
    if channel.as_str() != format!("private-{user}") {
        return Err(StatusCode::FORBIDDEN);
    }
    let authorization = backend.signer.authorize_channel(&request.socket_id, &channel, None);
    authorization.map(Json).map_err(|_| StatusCode::FORBIDDEN)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sessions = serde_urlencoded::from_str(&var("SESSIONS")?)?;
    let signer = Signer::new(var("PUSHER_APP_KEY")?, &var("PUSHER_APP_SECRET")?);
    let router = Router::new().route("/pusher/auth", post(authorize));
    let router = router.with_state(Arc::new(Backend { sessions, signer }));
    let listener =
        tokio::net::TcpListener::bind(args().nth(1).ok_or("usage: auth_endpoint ADDRESS")?).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}
