use crate::failure::Failure;
use crate::network::engine_gate::EngineGate;
use crate::processes::program::Program;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The process `broker`, which several nodes share as their Channels engine.
pub(crate) struct Engine {
    address: SocketAddr,
    program: Program,
    /// In front of its HTTP API, for the nodes.
    pub(crate) gate: EngineGate,
}

impl Engine {
    /// Starts the broker, and waits until it listens.
    pub(crate) async fn start(address: SocketAddr, program: Program) -> Result<Self, Failure> {
        let gate = EngineGate::start(address).await?;
        let mut engine = Self { address, program, gate };
        engine.restart().await?;
        Ok(engine)
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.program.kill().await
    }

    /// Starts the broker again, and waits until it listens.
    pub(crate) async fn restart(&mut self) -> Result<(), Failure> {
        self.program.start()?;
        let started = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            if self.program.has_ended() || started.elapsed() > START_TIMEOUT {
                return Err(format!("the broker does not listen: {}", self.program.log.display()).into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}
