use crate::failure::Failure;
use crate::program::Program;
use black_box_support::{Caller, Http};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a start may take, the database's recovery included.
const START: Duration = Duration::from_secs(60);

/// A `serve`.
pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    program: Program,
}

impl Node {
    /// Starts it.
    pub(crate) fn start(address: SocketAddr, program: Program) -> Result<Self, Failure> {
        let mut node = Self { address, program };
        node.program.start()?;
        Ok(node)
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.program.kill().await
    }

    /// Starts it again after a kill.
    pub(crate) async fn start_again(&mut self) -> Result<(), Failure> {
        self.program.start()?;
        self.ready().await
    }

    /// Whether it ended without being killed.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.program.has_ended()
    }

    /// Returns when it says that it is ready. One that ended, since its database was away, is started again.
    pub(crate) async fn ready(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let mut caller = Caller::new(Http::to(self.address).within(Duration::from_secs(1)), "");
        while started.elapsed() < START {
            if self.program.has_ended() {
                self.program.start()?;
            }
            let answer = caller.send("GET", "/health/ready", &Value::Null).await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(format!("a node is not ready after {START:?}: {}", self.program.log.display()).into())
    }
}
