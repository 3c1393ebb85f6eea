use crate::failure::Failure;
use crate::fault::{LineFault, millis};
use internal_notifications_testkit::server::Proxy;
use rand::RngExt;
use rand::rngs::StdRng;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// Longer than any run.
const FOR_EVER: Duration = Duration::from_secs(86_400 * 2);

/// The proxies that stand before nodes and broker.
#[derive(Default)]
pub(crate) struct Lines(Vec<Proxy>);

impl Lines {
    /// Another one: its address.
    pub(crate) async fn before(&mut self, target: SocketAddr) -> Result<SocketAddr, Failure> {
        let proxy = Proxy::before(target).await?;
        let address = proxy.address();
        self.0.push(proxy);
        Ok(address)
    }

    /// Some of them have this fault for a while.
    pub(crate) async fn suffer(&self, fault: LineFault, rng: &mut StdRng) {
        let share = rng.random_range(0.2..1.0);
        let some: Vec<&Proxy> = self.0.iter().filter(|_| rng.random_bool(share)).collect();
        let cut = async || {
            for line in &some {
                line.cut().await;
            }
        };
        match fault {
            LineFault::Cut => {
                cut().await;
                sleep(millis(rng, 0..1500)).await;
            }
            LineFault::Blackholed => {
                some.iter().for_each(|line| line.slow(FOR_EVER));
                sleep(millis(rng, 500..3000)).await;
                if rng.random_bool(0.5) {
                    cut().await;
                }
            }
            LineFault::Slowed => {
                let chunk = millis(rng, 20..150);
                some.iter().for_each(|line| line.slow(chunk));
                sleep(millis(rng, 500..3000)).await;
            }
        }
        some.iter().for_each(|line| line.mend());
    }
}
