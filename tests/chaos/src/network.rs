pub(crate) mod engine_gate;
mod lossy_proxy;

use crate::failure::Failure;
use crate::faults::{NetworkFault, random_millis};
use crate::network::lossy_proxy::LossyProxy;
use internal_notifications_testkit::server::Proxy;
use rand::RngExt;
use rand::rngs::StdRng;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

/// Longer than any run.
const FOREVER: Duration = Duration::from_secs(86_400 * 2);

/// The proxies in front of the nodes and the broker.
#[derive(Default)]
pub(crate) struct Network {
    /// In front of nodes, for writers and users.
    fronts: Vec<Proxy>,
    /// In front of nodes and broker, for replicas.
    devices: Vec<(Proxy, LossyProxy)>,
}

impl Network {
    /// Adds a proxy for writers and users, and returns its address.
    pub(crate) async fn add_front(&mut self, node: SocketAddr) -> Result<SocketAddr, Failure> {
        let proxy = Proxy::start(node).await?;
        let address = proxy.address();
        self.fronts.push(proxy);
        Ok(address)
    }

    /// Adds a proxy for replicas, and returns its address.
    pub(crate) async fn add_device_proxy(&mut self, target: SocketAddr) -> Result<SocketAddr, Failure> {
        let proxy = Proxy::start(target).await?;
        let lossy = LossyProxy::start(proxy.address()).await?;
        let address = lossy.address;
        self.devices.push((proxy, lossy));
        Ok(address)
    }

    /// Injects a fault into some connections for a while.
    pub(crate) async fn inject(&self, fault: NetworkFault, rng: &mut StdRng) {
        let share = rng.random_range(0.2..1.0);
        let all = self.fronts.iter().chain(self.devices.iter().map(|(proxy, _)| proxy));
        let some: Vec<&Proxy> = all.filter(|_| rng.random_bool(share)).collect();
        match fault {
            NetworkFault::Cut => {
                cut(&some).await;
                sleep(random_millis(rng, 0..1500)).await;
            }
            NetworkFault::Blackholed => {
                some.iter().for_each(|proxy| proxy.slow(FOREVER));
                sleep(random_millis(rng, 500..3000)).await;
                if rng.random_bool(0.5) {
                    cut(&some).await;
                }
            }
            NetworkFault::Slowed => {
                let chunk = random_millis(rng, 20..150);
                some.iter().for_each(|proxy| proxy.slow(chunk));
                sleep(random_millis(rng, 500..3000)).await;
            }
            NetworkFault::EventsLost => {
                let percent = rng.random_range(5..50);
                self.lose(percent);
                sleep(random_millis(rng, 500..3000)).await;
                self.lose(0);
            }
        }
        some.iter().for_each(|proxy| proxy.mend());
    }

    /// Does some work while half of the replicas are disconnected and the others receive no events.
    pub(crate) async fn without_live_events(&self, work: impl Future<Output = ()>, rng: &mut StdRng) {
        let proxies = self.devices.iter().map(|(proxy, _)| proxy);
        let some: Vec<&Proxy> = proxies.filter(|_| rng.random_bool(0.5)).collect();
        self.lose(100);
        cut(&some).await;
        work.await;
        some.iter().for_each(|proxy| proxy.mend());
        self.lose(0);
    }

    fn lose(&self, percent: u32) {
        self.devices.iter().for_each(|(_, lossy)| lossy.lose(percent));
    }
}

async fn cut(proxies: &[&Proxy]) {
    for proxy in proxies {
        proxy.cut().await;
    }
}
