use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use internal_notifications_server::SystemClock;
use internal_notifications_server::auth::{Authenticator, KeysAndTokens};
use internal_notifications_server::config::{AuthConfig, JwtKey};
use pusher_signer::{ChannelAuthorization, Signer};
use tokio::net::TcpListener;

use crate::{TOKEN_SECRET, process};

struct App {
    authenticator: KeysAndTokens,
    signer: Signer,
}

/// Serves the same token check, form and signature behind a single axum route, with nothing around
/// it: no limits, timeouts, request ids, metrics or broker.
pub(crate) fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let config = AuthConfig::new().with_jwt(JwtKey::secret(TOKEN_SECRET).unwrap());
        let app = App {
            authenticator: KeysAndTokens::new(&config, Arc::new(SystemClock)),
            signer: Signer::new("app-key", "app-secret"),
        };
        let router = Router::new().route("/pusher/auth", post(auth)).with_state(Arc::new(app));
        let listener = TcpListener::bind(process::address()).await.unwrap();
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, router).await.unwrap();
    });
    ExitCode::SUCCESS
}

async fn auth(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<ChannelAuthorization>, StatusCode> {
    let bearer = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "));
    let caller = app.authenticator.authenticate(bearer.ok_or(StatusCode::UNAUTHORIZED)?).await;
    let caller = caller.map_err(|_| StatusCode::UNAUTHORIZED)?;
    let form: HashMap<String, String> =
        serde_urlencoded::from_bytes(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let field = |name| form.get(name).ok_or(StatusCode::BAD_REQUEST);
    let channel = field("channel_name")?;
    if caller.user_id().is_none_or(|user| channel.strip_prefix("private-") != Some(user.as_str())) {
        return Err(StatusCode::FORBIDDEN);
    }
    let socket_id = field("socket_id")?.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    let channel = channel.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    app.signer.authorize_channel(&socket_id, &channel, None).map(Json).map_err(|_| StatusCode::FORBIDDEN)
}
