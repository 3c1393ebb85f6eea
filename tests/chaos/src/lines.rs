use crate::failure::Failure;
use crate::fault::{LineFault, millis};
use crate::lossy::Lossy;
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
pub(crate) struct Lines {
    /// Before nodes, for writers and users.
    fronts: Vec<Proxy>,
    /// Before nodes and broker, for replicas.
    devices: Vec<(Proxy, Lossy)>,
}

impl Lines {
    /// Another line for writers and users: where it begins.
    pub(crate) async fn front_of(&mut self, node: SocketAddr) -> Result<SocketAddr, Failure> {
        let proxy = Proxy::start(node).await?;
        let address = proxy.address();
        self.fronts.push(proxy);
        Ok(address)
    }

    /// Another line for replicas: where it begins.
    pub(crate) async fn line_to_device(&mut self, target: SocketAddr) -> Result<SocketAddr, Failure> {
        let proxy = Proxy::start(target).await?;
        let lossy = Lossy::before(proxy.address()).await?;
        let address = lossy.address;
        self.devices.push((proxy, lossy));
        Ok(address)
    }

    /// Some of them have this fault for a while.
    pub(crate) async fn suffer(&self, fault: LineFault, rng: &mut StdRng) {
        let share = rng.random_range(0.2..1.0);
        let all = self.fronts.iter().chain(self.devices.iter().map(|(proxy, _)| proxy));
        let some: Vec<&Proxy> = all.filter(|_| rng.random_bool(share)).collect();
        match fault {
            LineFault::Cut => {
                cut(&some).await;
                sleep(millis(rng, 0..1500)).await;
            }
            LineFault::Blackholed => {
                some.iter().for_each(|line| line.slow(FOR_EVER));
                sleep(millis(rng, 500..3000)).await;
                if rng.random_bool(0.5) {
                    cut(&some).await;
                }
            }
            LineFault::Slowed => {
                let chunk = millis(rng, 20..150);
                some.iter().for_each(|line| line.slow(chunk));
                sleep(millis(rng, 500..3000)).await;
            }
            LineFault::EventsLost => {
                let percent = rng.random_range(5..50);
                self.lose(percent);
                sleep(millis(rng, 500..3000)).await;
                self.lose(0);
            }
        }
        some.iter().for_each(|line| line.mend());
    }

    /// Some replicas are cut off and the others get no events, while this is done.
    pub(crate) async fn unheard(&self, work: impl Future<Output = ()>, rng: &mut StdRng) {
        let lines = self.devices.iter().map(|(proxy, _)| proxy);
        let some: Vec<&Proxy> = lines.filter(|_| rng.random_bool(0.5)).collect();
        self.lose(100);
        cut(&some).await;
        work.await;
        some.iter().for_each(|line| line.mend());
        self.lose(0);
    }

    fn lose(&self, percent: u32) {
        self.devices.iter().for_each(|(_, lossy)| lossy.lose(percent));
    }
}

async fn cut(lines: &[&Proxy]) {
    for line in lines {
        line.cut().await;
    }
}
