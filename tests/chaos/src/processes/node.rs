use crate::failure::Failure;
use crate::processes::program::Program;
use black_box_support::{Caller, Http};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a start may take, including the database's recovery.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server process (`serve`).
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    program: Program,
}

impl Node {
    /// Starts the process.
    pub(crate) fn start(address: SocketAddr, program: Program) -> Result<Self, Failure> {
        let mut node = Self { address, program };
        node.program.start()?;
        Ok(node)
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.program.kill().await
    }

    /// Starts the process again, and waits until it is ready.
    pub(crate) async fn restart(&mut self) -> Result<(), Failure> {
        self.program.start()?;
        self.wait_until_ready().await
    }

    /// Returns whether the process ended without being killed.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.program.has_ended()
    }

    /// Waits until the node reports that it is ready. Restarts it if it ended because its database
    /// was down.
    pub(crate) async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let mut caller = Caller::new(Http::to(self.address).within(Duration::from_secs(1)), "");
        while started.elapsed() < START_TIMEOUT {
            if self.program.has_ended() {
                self.program.start()?;
            }
            let answer = caller.send("GET", "/health/ready", &Value::Null).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(format!("a node is not ready after {START_TIMEOUT:?}: {}", self.program.log.display()).into())
    }
}
