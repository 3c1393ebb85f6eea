use crate::failure::Failure;
use crate::program::Program;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const START: Duration = Duration::from_secs(30);

/// A `broker` that several nodes share.
pub(crate) struct Engine {
    address: SocketAddr,
    program: Program,
}

impl Engine {
    /// Returns when it listens.
    pub(crate) async fn start(address: SocketAddr, program: Program) -> Result<Self, Failure> {
        let mut engine = Self { address, program };
        engine.start_again().await?;
        Ok(engine)
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.program.kill().await
    }

    /// Returns when it listens.
    pub(crate) async fn start_again(&mut self) -> Result<(), Failure> {
        self.program.start()?;
        let started = Instant::now();
        while TcpStream::connect(self.address).await.is_err() {
            if self.program.has_ended() || started.elapsed() > START {
                return Err(format!("the broker does not listen: {}", self.program.log.display()).into());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}
