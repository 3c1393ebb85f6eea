//! An app with a login and routes of its own, and the inbox below `/inbox` in the same process.
//!
//! `SESSIONS='secret=ada' PUSHER_APP_SECRET=… cargo run -p examples --bin nested_router -- 127.0.0.1:8080 inbox.db`; ada's app then has the
//! URL `http://127.0.0.1:8080/inbox` and the token `secret`.
#![allow(clippy::print_stdout, reason = "it says where it listens")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use axum::{Router, routing::get};
use internal_notifications_server::auth::{AuthError, Authenticator};
use internal_notifications_server::dispatcher::{Commits, Dispatcher};
use internal_notifications_server::store::{Retention, Store, sqlite::SqliteOptions, sqlite::SqliteStore};
use internal_notifications_server::upkeep::Upkeep;
use internal_notifications_server::{App, Limits, Principal, SystemClock, build_router, realtime, serve};
use pusher_broker::{Broker, Signer};

/// The app's own login: who has which session.
struct Sessions(HashMap<String, String>);

#[async_trait]
impl Authenticator for Sessions {
    async fn authenticate(&self, bearer: &str) -> Result<Principal, AuthError> {
        let user = self.0.get(bearer).and_then(|user| user.parse().ok());
        let id = user.ok_or(AuthError::Unauthenticated("there is no such session"))?;
        Ok(Principal::User { id, may_push: true, until: None })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (address, file) = args.next().zip(args.next()).ok_or("usage: nested_router ADDRESS DATABASE")?;
    let sessions = Sessions(serde_urlencoded::from_str(&std::env::var("SESSIONS")?)?);

    // The store tells the dispatcher what was committed, that the broker, and the broker who is connected. The upkeep does what is due.
    let commits = Arc::new(Commits::new());
    let options = SqliteOptions::default().with_commit_listener(commits.clone());
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open_file(file.as_ref(), options).await?);
    let signer = Signer::new("app-key", &std::env::var("PUSHER_APP_SECRET")?);
    let broker = Broker::new("app", signer.clone());
    let realtime = Arc::new(realtime::Embedded(broker.clone()));
    let mut dispatcher = Dispatcher::start(commits, store.clone(), realtime, Default::default());
    let minute = tokio::time::Duration::from_secs(60);
    let mut upkeep = Upkeep::start(store.clone(), Arc::new(SystemClock), Retention::default(), minute);
    let inbox = App::new(store.clone(), Arc::new(sessions), signer).with_broker(broker.clone());
    let router = Router::new().route("/", get(async || "a shop")).nest("/inbox", build_router(inbox));
    let (listener, limits) = (tokio::net::TcpListener::bind(address).await?, Limits::default());
    println!("listening on {}", listener.local_addr()?);
    serve(listener, router, &limits, async { drop(tokio::signal::ctrl_c().await) }).await;
    upkeep.stop(limits.shutdown_timeout).await;
    dispatcher.stop(limits.shutdown_timeout).await;
    broker.shutdown().await;
    store.close().await;
    Ok(())
}
