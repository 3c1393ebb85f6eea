use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use internal_notifications_server::config::{ApiKey, JwtKey};
use internal_notifications_server::{Clock, Config, RunningServer, Server, SystemClock, TokenIssuer};
use internal_notifications_service::models::UserId;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::{Proxy, TestServerError};

/// The inbox server with its Channels broker, on a free port of this machine, over a database of its own in a temporary folder. When it is
/// dropped, all that ends, and what was in it is gone.
pub struct TestServer {
    /// None while it is stopped, and after a start that failed.
    running: Mutex<Option<RunningServer>>,
    address: SocketAddr,
    config: Config,
    tokens: TokenIssuer,
    folder: TempDir,
}

/// The inboxes as they were at a moment: [`TestServer::backup`].
#[derive(Debug)]
pub struct Backup(TempDir);

const API_KEY: &str = "the-api-key-of-every-test-server";
const TOKEN_SECRET: &str = "the-token-secret-of-every-test-server";
const DATABASE: &str = "inbox.db";
const TOKEN_TTL: Duration = Duration::from_secs(3600);

impl TestServer {
    /// Starts one.
    ///
    /// # Errors
    /// There is no temporary folder, or no port.
    pub async fn start() -> Result<Self, TestServerError> {
        Self::start_with(|_| {}).await
    }

    /// Starts one with its configuration changed: limits, say, or position checks.
    ///
    /// # Errors
    /// As [`start`](Self::start); the configuration contradicts itself, or takes away the secret that tokens are made with.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self, TestServerError> {
        let folder = folder()?;
        let mut config = config(&folder.path().join(DATABASE))?;
        change(&mut config);
        let tokens = TokenIssuer::from_config(&config.auth)
            .ok_or_else(|| TestServerError::new("a test server cannot make tokens", &"it has no secret"))?;
        let running = start(&config).await?;
        let address = running.local_addr();
        config.listen = address;
        Ok(Self { running: Mutex::new(Some(running)), address, config, tokens, folder })
    }

    /// Its base URL, past every proxy.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A proxy of its own before it: whoever is given its URL can be cut off alone. The live channel goes through it too.
    ///
    /// # Errors
    /// There is no port.
    pub async fn proxy(&self) -> Result<Proxy, TestServerError> {
        Proxy::before(self.address).await.map_err(|error| TestServerError::new("a proxy cannot listen", &error))
    }

    /// A token of any user, good for an hour, with which to push too.
    pub fn token(&self, user: &UserId) -> String {
        self.token_with(user, TOKEN_TTL, true)
    }

    /// A token of any user that lasts so long; with `push` it may push to others.
    pub fn token_with(&self, user: &UserId, ttl: Duration, push: bool) -> String {
        self.tokens.mint(user, SystemClock.now(), ttl, push)
    }

    /// The key of a backend.
    pub fn api_key(&self) -> &str {
        API_KEY
    }

    /// Shuts it down, and starts it again on the same address and the same inboxes.
    ///
    /// # Errors
    /// It cannot be started again.
    pub async fn restart(&self) -> Result<(), TestServerError> {
        self.while_stopped(|| Ok(())).await
    }

    /// Copies all inboxes. The server is stopped meanwhile.
    ///
    /// # Errors
    /// They cannot be copied, or it cannot be started again.
    pub async fn backup(&self) -> Result<Backup, TestServerError> {
        self.while_stopped(|| {
            let backup = folder()?;
            copy_database(self.folder.path(), backup.path())?;
            Ok(Backup(backup))
        })
        .await
    }

    /// Makes all inboxes what they were, as when a disk was lost. The server is stopped meanwhile.
    ///
    /// # Errors
    /// They cannot be copied, or it cannot be started again.
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
        let done = work();
        *running = Some(start(&self.config).await?);
        done
    }
}

async fn start(config: &Config) -> Result<RunningServer, TestServerError> {
    let started = Server::start(config.clone()).await;
    started.map_err(|error| TestServerError::new("a test server cannot start", &error))
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
        .map_err(|error| TestServerError::new("a test server cannot be configured", &error))
}

fn folder() -> Result<TempDir, TestServerError> {
    let folder = tempfile::Builder::new().prefix("internal-notifications-test-").tempdir();
    folder.map_err(|error| TestServerError::new("there is no temporary folder", &error))
}

/// Copies the files of a database that nobody has open, over those of another.
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
    copy().map_err(|error: std::io::Error| TestServerError::new("a database cannot be copied", &error))
}

impl fmt::Debug for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServer").field("address", &self.address).finish_non_exhaustive()
    }
}
