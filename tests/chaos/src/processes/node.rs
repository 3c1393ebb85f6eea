use crate::failure::Failure;
use crate::processes::fake_clock::{FakeClock, Offset, remove_shared_memory};
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
    clock: Option<FakeClock>,
}

impl Node {
    /// Starts the process with its own clock, if this machine can fake one.
    pub(crate) fn start(
        address: SocketAddr,
        mut program: Program,
        clock: Option<FakeClock>,
    ) -> Result<Self, Failure> {
        program.env.extend(clock.iter().flat_map(FakeClock::env));
        let mut node = Self { address, program, clock };
        node.program.start()?;
        Ok(node)
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.remove_shared_memory();
        self.program.kill().await
    }

    pub(crate) fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// Sets the clock of the running process.
    pub(crate) fn set_clock(&self, offset: Offset) -> Result<(), Failure> {
        self.clock.as_ref().map_or(Ok(()), |clock| clock.set(offset))
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

    fn remove_shared_memory(&self) {
        if let Some(id) = self.program.id().filter(|_| self.has_clock()) {
            remove_shared_memory(id);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.remove_shared_memory();
    }
}
