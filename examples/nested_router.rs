//! An app with its own login and routes, and the inbox server under `/inbox` in the same process.
//!
//! Run `SESSIONS='secret=ada' cargo run -p examples --bin nested_router -- 127.0.0.1:8080
//! inbox.db`. Ada's client then uses the URL `http://127.0.0.1:8080/inbox` and the token `secret`.
//! That token does not contain the user, as a JWT would, so the client names her too. In its
//! environment these are `INTERNAL_NOTIFICATIONS_URL`, `…_TOKEN` and `…_USER_ID`; its builder has
//! `url` and `user("ada", "secret")`.
#![allow(clippy::print_stdout, reason = "it prints where it listens")]

use std::collections::HashMap;
use std::error::Error;

use axum::{Router, routing::get};
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::{Config, Limits, Node, Principal, async_trait, listen, serve};

/// The app's own login: the user of each session.
struct Sessions(HashMap<String, String>);

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let user = self.0.get(bearer).and_then(|user| user.parse().ok());
        let user = user.ok_or_else(|| AuthError::Unauthenticated("there is no such session".into()))?;
        Ok(Principal::user(user).with_push(true))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (address, file) = args.next().zip(args.next()).ok_or("usage: nested_router ADDRESS DATABASE")?;
    let sessions = Sessions(serde_urlencoded::from_str(&std::env::var("SESSIONS")?)?);

    let config = Config::new().with_database(format!("sqlite://{file}").parse()?);
    let node = Node::open(config).await?.authenticator(sessions).start().await?;
    let router = Router::new().route("/", get(async || "a shop")).nest("/inbox", node.router());
    let listener = listen(address.parse()?)?;
    println!("listening on {}", listener.local_addr()?);
    let (limits, stop) = (Limits::default(), async { drop(tokio::signal::ctrl_c().await) });
    let outcome = tokio::select! {
        () = serve(listener, router, &limits, stop) => Ok(()),
        error = node.failed() => Err(error.into()),
    };
    node.shutdown().await;
    outcome
}
