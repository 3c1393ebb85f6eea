use crate::support::binary;
use black_box_support::{Caller, Http};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;

pub(crate) const API_KEY: &str = "acceptance-api-key-of-more-than-32-bytes";
pub(crate) const OTHER_API_KEY: &str = "another-api-key-that-has-more-than-32-bytes";
pub(crate) const JWT_SECRET: &str = "acceptance-jwt-secret-of-more-than-32-bytes";
pub(crate) const APP_ID: &str = "4711";
pub(crate) const APP_KEY: &str = "acceptance-app-key";
pub(crate) const APP_SECRET: &str = "acceptance-app-secret";

/// How long anything may take before a test fails.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// A running `serve --json` with its own database. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    wrapper: Vec<String>,
    env: Vec<(String, String)>,
    pub(crate) address: SocketAddr,
    folder: TempDir,
    database_url: String,
    output: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server on a new SQLite database.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// Starts a server with further environment variables, wrapped in another command.
    pub(crate) async fn start_with(env: &[(&str, &str)], wrapper: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), env, wrapper).await
    }

    /// Starts a server whose SQLite database is in this folder.
    pub(crate) async fn start_in(folder: TempDir, env: &[(&str, &str)], wrapper: &[&str]) -> Self {
        let database_url = format!("sqlite://{}", database(&folder).display());
        Self::spawn(folder, database_url, env, wrapper).await
    }

    /// Starts a server on an existing database.
    pub(crate) async fn start_on(database_url: &str, env: &[(&str, &str)]) -> Self {
        Self::spawn(tempfile::tempdir().unwrap(), database_url.to_owned(), env, &[]).await
    }

    async fn spawn(folder: TempDir, database_url: String, env: &[(&str, &str)], wrapper: &[&str]) -> Self {
        let api_keys = format!("shop:{API_KEY},blog:{OTHER_API_KEY}");
        let required = [
            ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET),
            ("INTERNAL_NOTIFICATIONS_API_KEYS", &api_keys),
            ("PUSHER_APP_ID", APP_ID),
            ("PUSHER_APP_KEY", APP_KEY),
            ("PUSHER_APP_SECRET", APP_SECRET),
        ];
        let env: Vec<_> =
            required.iter().chain(env).map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let wrapper: Vec<String> = wrapper.iter().map(|word| (*word).to_owned()).collect();
        let output = Arc::default();
        let (process, address) = launch(&wrapper, &env, "127.0.0.1:0", &database_url, &output).await;
        Self { process, wrapper, env, address, folder, database_url, output }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the path of the SQLite database.
    pub(crate) fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// Returns the process id while the process runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Terminates the process (SIGTERM), and asserts that it exits with code 0.
    pub(crate) async fn stop(&mut self) {
        terminate(&mut self.process).await;
    }

    /// Starts the process again on the same database and port.
    pub(crate) async fn restart(&mut self) {
        let listen = self.address.to_string();
        (self.process, self.address) =
            launch(&self.wrapper, &self.env, &listen, &self.database_url, &self.output).await;
    }

    /// Returns everything that was printed and logged so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Returns a client that sends this bearer token.
    pub(crate) fn caller(&self, bearer: &str) -> Caller {
        Caller::new(Http::to(self.address), bearer)
    }

    /// Returns a client with the API key of a backend.
    pub(crate) fn backend(&self) -> Caller {
        self.caller(API_KEY)
    }

    /// Returns a client with a user's token.
    pub(crate) fn user(&self, user: &str) -> Caller {
        self.caller(&token(user, &[]))
    }
}

/// Makes a user's token with the command `token`.
pub(crate) fn token(user: &str, more: &[&str]) -> String {
    let args = [&["token", "--user", user], more].concat();
    binary::run(&args, &[("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET)]).ok().to_owned()
}

/// Terminates a process (SIGTERM), and asserts that it exits with code 0.
pub(crate) async fn terminate(process: &mut Child) {
    let pid = process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let ended = tokio::time::timeout(TIMEOUT, process.wait()).await.expect("it ends after SIGTERM");
    assert_eq!(ended.unwrap().code(), Some(0));
}

fn database(folder: &TempDir) -> PathBuf {
    folder.path().join("inbox.db")
}

async fn launch(
    wrapper: &[String],
    env: &[(String, String)],
    listen: &str,
    database_url: &str,
    output: &Arc<Mutex<String>>,
) -> (Child, SocketAddr) {
    spawn_listening(
        wrapper,
        env,
        &["serve", "--json", "--listen", listen, "--database", database_url],
        output,
    )
    .await
}

/// Spawns a process whose first line of output is a JSON object with the URL it listens on.
pub(crate) async fn spawn_listening(
    wrapper: &[String],
    env: &[(String, String)],
    args: &[&str],
    output: &Arc<Mutex<String>>,
) -> (Child, SocketAddr) {
    let words = wrapper.iter().map(Into::into).chain([binary::path().as_os_str().to_owned()]);
    let words: Vec<_> = words.collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(args);
    command.env_clear().envs(env.iter().map(|(name, value)| (name, value))).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let (first_line, first) = oneshot::channel();
    collect(process.stdout.take().unwrap(), output.clone(), Some(first_line));
    collect(process.stderr.take().unwrap(), output.clone(), None);
    let first = tokio::time::timeout(TIMEOUT, first).await.expect("it starts in time");
    let first = first.unwrap_or_else(|_| panic!("it did not start: {}", output.lock().unwrap()));
    let first: Value = serde_json::from_str(&first).unwrap();
    let url = first["url"].as_str().unwrap();
    (process, url.strip_prefix("http://").unwrap().parse().unwrap())
}

/// Collects all lines, and also sends the first one.
fn collect(
    from: impl AsyncRead + Send + Unpin + 'static,
    output: Arc<Mutex<String>>,
    first: Option<oneshot::Sender<String>>,
) {
    tokio::spawn(async move {
        let (mut lines, mut first) = (BufReader::new(from).lines(), first);
        while let Ok(Some(line)) = lines.next_line().await {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
            if let Some(first) = first.take() {
                let _ = first.send(line);
            }
        }
    });
}
