use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Interval, interval};

/// A TCP proxy that cuts every connection at a fixed interval, and accepts new ones at once.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// The number of connections that were cut.
    cut: Arc<AtomicU32>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr, period: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicU32::new(0));
        let mut cuts = interval(period);
        cuts.tick().await;
        Self { address, task: tokio::spawn(serve(listener, server, cuts, cut.clone())), cut }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the number of connections that were cut so far.
    pub(crate) fn cut(&self) -> u32 {
        self.cut.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, server: SocketAddr, mut cuts: Interval, cut: Arc<AtomicU32>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = cuts.tick() => {
                connections.abort_all();
                while let Some(ended) = connections.join_next().await {
                    cut.fetch_add(u32::from(ended.is_err()), Ordering::Relaxed);
                }
            }
            Ok((mut client, _)) = listener.accept() => {
                connections.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(server).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        }
    }
}
