use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use internal_notifications_models::UserId;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::accept::{self, local_url, serve};
use crate::auth::TokenIssuer;
use crate::config::{AllowedHosts, Config};
use crate::error::Error;
use crate::node::{Node, NodeBuilder};
use crate::task::Task;
use crate::{Clock, SystemClock, generated_secrets};

/// A running server: a [`Node`] with a listener.
///
/// A server that is dropped instead of [shut down](Self::shutdown) stops at once. What it
/// acknowledged is stored, and the next start publishes it.
pub struct Server {
    address: SocketAddr,
    issuer: Option<TokenIssuer>,
    has_generated_secret: bool,
    stop: CancellationToken,
    /// Dropped before the listener's task, whose end is expected then.
    _stop_on_drop: DropGuard,
    serving: Task,
    node: Node,
}

impl Server {
    /// Opens the configured database, generates missing credentials, and serves the routes.
    ///
    /// # Errors
    /// Returns an [`Error`] if settings contradict each other, the database cannot be used, or the
    /// server cannot listen on the address.
    pub async fn start(config: Config) -> Result<Self, Error> {
        config.check()?;
        let mut node = Node::open(config).await?;
        let prepared = prepare(&mut node).await;
        if prepared.is_err() {
            node.store.close().await;
        }
        let (listener, address, has_generated_secret) = prepared?;
        let (issuer, limits) = (TokenIssuer::from_config(&node.config.auth), node.config.limits.clone());
        let node = node.start().await?;
        let (stop, router) = (CancellationToken::new(), node.router());
        let stopped = stop.clone();
        let serving = Task::spawn(async move { serve(listener, router, &limits, stopped.cancelled()).await });
        let _stop_on_drop = stop.clone().drop_guard();
        Ok(Self { address, issuer, has_generated_secret, stop, _stop_on_drop, serving, node })
    }

    /// Returns the address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL at which this machine reaches the server.
    pub fn url(&self) -> String {
        local_url(self.address)
    }

    /// Returns a token of an app user, or `None` if the server has no secret to sign it with. With
    /// `push`, the user may push to others.
    pub fn token(&self, user_id: &UserId, ttl: Duration, push: bool) -> Option<String> {
        let issuer = self.issuer.as_ref()?;
        Some(issuer.mint(user_id, SystemClock.now(), ttl, push))
    }

    /// Returns whether the secret that verifies tokens was generated and is stored in the database.
    pub fn has_generated_secret(&self) -> bool {
        self.has_generated_secret
    }

    /// Returns the node behind the listener.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Waits until the server can no longer do all of its work because one of its tasks has ended
    /// unexpectedly, and returns which. Waits for ever if that does not happen.
    ///
    /// [Shut it down](Self::shutdown) then and end with an error, so that a service manager starts
    /// it again. Until then, `/health/ready` answers 503.
    pub fn failed(&self) -> impl Future<Output = Error> + Send + 'static {
        let (serving, node, stop) = (self.serving.ended(), self.node.failed(), self.stop.clone());
        let listener = async move {
            serving.await;
            if stop.is_cancelled() {
                std::future::pending().await
            }
        };
        async move {
            tokio::select! {
                error = node => error,
                () = listener => Error::task_ended("listener"),
            }
        }
    }

    /// Stops listening, lets running requests finish, and meanwhile [shuts down](Node::shutdown)
    /// the node.
    ///
    /// Connections without a request are closed at once, and WebSockets as soon as what is stored
    /// was published to them. All of it takes at most
    /// [`Limits::shutdown_timeout`](crate::Limits::shutdown_timeout).
    pub async fn shutdown(self) {
        let Self { stop, serving, node, .. } = self;
        stop.cancel();
        node.shutdown_beside(async { drop(serving.await) }).await;
    }
}

/// Completes the configuration with what only the database and the listener know.
async fn prepare(node: &mut NodeBuilder) -> Result<(TcpListener, SocketAddr, bool), Error> {
    let listen = node.config.listen;
    node.config.allowed_hosts.get_or_insert_with(|| AllowedHosts::default_for(listen));
    let (jwt, is_generated) = generated_secrets::jwt_key(node.store.as_ref(), &node.config).await?;
    node.config.auth.jwt = jwt;
    let listener = accept::listen(listen).map_err(|error| Error::listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| Error::listen(listen, error))?;
    Ok((listener, address, is_generated))
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}
