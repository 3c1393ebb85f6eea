use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use internal_notifications_server::config::{ApiKey, JwtKey};
use internal_notifications_server::{Clock, Config, Server, SystemClock, TokenIssuer};
use internal_notifications_service::models::UserId;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{Proxy, TestServerError};

/// The inbox server with its embedded Channels broker, on a free port of this machine.
///
/// Its database is in a temporary folder. Dropping it ends the server and deletes the database.
pub struct TestServer {
    /// None while the server is stopped, and after a failed start.
    running: Mutex<Option<Server>>,
    address: SocketAddr,
    config: Config,
    tokens: TokenIssuer,
    folder: TempDir,
}

/// A copy of all inboxes at one moment, made by [`TestServer::backup`].
#[derive(Debug)]
pub struct Backup(TempDir);

const API_KEY: &str = "the-api-key-of-every-test-server";
const TOKEN_SECRET: &str = "the-token-secret-of-every-test-server";
const DATABASE: &str = "inbox.db";
const TOKEN_TTL: Duration = Duration::from_secs(3600);

impl TestServer {
    /// Starts a server.
    ///
    /// # Errors
    /// Returns an error if there is no temporary folder or no port.
    pub async fn start() -> Result<Self, TestServerError> {
        Self::start_with(|_| {}).await
    }

    /// Starts a server with a changed configuration, for example other limits.
    ///
    /// # Errors
    /// Returns the errors of [`start`](Self::start), and an error if the configuration contradicts
    /// itself or no longer has a secret to sign tokens with.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self, TestServerError> {
        let folder = folder()?;
        let mut config = config(&folder.path().join(DATABASE))?;
        change(&mut config);
        let tokens = TokenIssuer::from_config(&config.auth)
            .ok_or_else(|| TestServerError::new("a test server has no secret to sign tokens with"))?;
        let running = start(&config).await?;
        let address = running.local_addr();
        config.listen = address;
        Ok(Self { running: Mutex::new(Some(running)), address, config, tokens, folder })
    }

    /// Returns the base URL of the server itself, without a proxy.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts a new proxy in front of the server. Give its URL to an app to cut off that app alone.
    /// The WebSocket goes through the proxy too.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub async fn proxy(&self) -> Result<Proxy, TestServerError> {
        let proxy = Proxy::start(self.address).await;
        proxy.map_err(|error| TestServerError::caused_by("a proxy cannot listen", error))
    }

    /// Returns a token of any user that is valid for an hour and may push.
    pub fn token(&self, user: &UserId) -> String {
        self.token_with(user, TOKEN_TTL, true)
    }

    /// Returns a token of any user. `ttl` is how long it is valid; `may_push` is whether it may
    /// push to other users.
    pub fn token_with(&self, user: &UserId, ttl: Duration, may_push: bool) -> String {
        self.tokens.mint(user, SystemClock.now(), ttl, may_push)
    }

    /// Returns the API key for backends.
    pub fn api_key(&self) -> &str {
        API_KEY
    }

    /// Shuts the server down and starts it again with the same address and inboxes.
    ///
    /// # Errors
    /// Returns an error if the server cannot be started again.
    pub async fn restart(&self) -> Result<(), TestServerError> {
        self.while_stopped(|| Ok(())).await
    }

    /// Copies all inboxes. The server is stopped in the meantime.
    ///
    /// # Errors
    /// Returns an error if the inboxes cannot be copied or the server cannot be started again.
    pub async fn backup(&self) -> Result<Backup, TestServerError> {
        self.while_stopped(|| {
            let backup = folder()?;
            copy_database(self.folder.path(), backup.path())?;
            Ok(Backup(backup))
        })
        .await
    }

    /// Replaces all inboxes by those of the backup, as after the loss of a disk. The server is
    /// stopped in the meantime.
    ///
    /// # Errors
    /// Returns an error if the inboxes cannot be copied or the server cannot be started again.
    pub async fn restore(&self, backup: &Backup) -> Result<(), TestServerError> {
        self.while_stopped(|| copy_database(backup.0.path(), self.folder.path())).await
    }

    async fn while_stopped<T>(
        &self,
        work: impl FnOnce() -> Result<T, TestServerError>,
    ) -> Result<T, TestServerError> {
        let mut running = self.running.lock().await;
        if let Some(running) = running.take() {
            running.shutdown().await;
        }
        let outcome = work();
        *running = Some(start(&self.config).await?);
        outcome
    }
}

async fn start(config: &Config) -> Result<Server, TestServerError> {
    let started = Server::start(config.clone()).await;
    started.map_err(|error| TestServerError::caused_by("a test server cannot start", error))
}

fn config(database: &Path) -> Result<Config, TestServerError> {
    let database = format!("sqlite://{}", database.display());
    let configured = Config::from_env(|name| match name {
        "INTERNAL_NOTIFICATIONS_LISTEN" => Some("127.0.0.1:0".to_owned()),
        "INTERNAL_NOTIFICATIONS_DATABASE_URL" => Some(database.clone()),
        _ => None,
    });
    let complete = |mut config: Config| {
        config.auth.jwt = Some(JwtKey::secret(TOKEN_SECRET)?);
        config.auth.api_keys.push(ApiKey::new("test", API_KEY)?);
        config.limits.shutdown_timeout = Duration::from_secs(2);
        Ok(config)
    };
    configured
        .and_then(complete)
        .map_err(|error| TestServerError::caused_by("a test server cannot be configured", error))
}

fn folder() -> Result<TempDir, TestServerError> {
    let folder = tempfile::Builder::new().prefix("internal-notifications-test-").tempdir();
    folder.map_err(|error| TestServerError::caused_by("there is no temporary folder", error))
}

/// Replaces the files of a database by those of another. Neither may be open.
fn copy_database(from: &Path, to: &Path) -> Result<(), TestServerError> {
    let copy = || {
        for suffix in ["", "-wal", "-shm"] {
            let name = format!("{DATABASE}{suffix}");
            let (from, to) = (from.join(&name), to.join(&name));
            if to.exists() {
                std::fs::remove_file(&to)?;
            }
            if from.exists() {
                std::fs::copy(&from, &to)?;
            }
        }
        Ok(())
    };
    copy().map_err(|error: std::io::Error| TestServerError::caused_by("a database cannot be copied", error))
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer").field("address", &self.address).finish_non_exhaustive()
    }
}
