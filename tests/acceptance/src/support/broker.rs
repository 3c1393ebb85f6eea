use crate::support::server::{APP_ID, APP_KEY, APP_SECRET, Server, spawn_listening, terminate};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::process::Child;

/// A running `broker --json`, which servers use as their Channels engine. Killed when dropped.
pub(crate) struct Broker {
    process: Child,
    pub(crate) address: SocketAddr,
    output: Arc<Mutex<String>>,
}

impl Broker {
    pub(crate) async fn start() -> Self {
        let output = Arc::default();
        let (process, address) = launch("127.0.0.1:0", &output).await;
        Self { process, address, output }
    }

    /// Starts a server that publishes through this broker.
    pub(crate) async fn server(&self) -> Server {
        Server::start_with(&self.env().each_ref().map(|(name, value)| (*name, value.as_str())), &[]).await
    }

    /// Starts a server that publishes through this broker, on an existing database.
    pub(crate) async fn server_on(&self, database_url: &str) -> Server {
        let env = self.env();
        Server::start_on(database_url, &env.each_ref().map(|(name, value)| (*name, value.as_str()))).await
    }

    fn env(&self) -> [(&'static str, String); 3] {
        let port = self.address.port().to_string();
        [("PUSHER_HOST", "127.0.0.1".to_owned()), ("PUSHER_PORT", port), ("PUSHER_SCHEME", "http".to_owned())]
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Terminates the process (SIGTERM), and asserts that it exits with code 0.
    pub(crate) async fn stop(&mut self) {
        terminate(&mut self.process).await;
    }

    /// Starts the process again on the same port.
    pub(crate) async fn restart(&mut self) {
        (self.process, self.address) = launch(&self.address.to_string(), &self.output).await;
    }

    /// Returns everything that was printed and logged so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }
}

async fn launch(listen: &str, output: &Arc<Mutex<String>>) -> (Child, SocketAddr) {
    let env = [("PUSHER_APP_ID", APP_ID), ("PUSHER_APP_KEY", APP_KEY), ("PUSHER_APP_SECRET", APP_SECRET)];
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    spawn_listening(&[], &env, &["broker", "--json", "--listen", listen], output).await
}
