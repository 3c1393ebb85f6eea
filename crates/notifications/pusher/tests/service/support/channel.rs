use std::io;
use std::sync::{Arc, Mutex};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use internal_notifications_pusher::pusher_client::{BoxTransport, Connector};
use pusher_broker::Broker;
use tokio::io::{copy_bidirectional, duplex};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// In-memory connections to a broker that a test can cut.
#[derive(Clone)]
pub struct Network {
    broker: Broker,
    cables: Arc<Mutex<Cables>>,
}

#[derive(Default)]
struct Cables {
    down: bool,
    /// The only reachable host; none means any.
    only_host: Option<String>,
    laid: Vec<AbortHandle>,
    /// Whether nothing passes any more over the connections that exist, though they stay open.
    frozen: watch::Sender<()>,
}

impl Network {
    pub fn to(broker: Broker) -> Self {
        Self { broker, cables: Arc::default() }
    }

    /// Cuts every connection. While `down`, new ones fail.
    pub fn cut(&self, down: bool) {
        let mut cables = self.cables.lock().unwrap();
        cables.down = down;
        cables.laid.drain(..).for_each(|cable| cable.abort());
    }

    /// Lets nothing pass any more over the connections that exist, without closing them.
    pub fn freeze(&self) {
        self.cables.lock().unwrap().frozen.send_replace(());
    }

    /// Cuts every connection. New ones succeed only to this host.
    pub fn move_to(&self, host: &str) {
        self.cables.lock().unwrap().only_host = Some(host.to_owned());
        self.cut(false);
    }
}

#[async_trait::async_trait]
impl Connector for Network {
    async fn connect(&self, host: &str, _port: u16) -> io::Result<BoxTransport> {
        let mut cables = self.cables.lock().unwrap();
        if cables.down || cables.only_host.as_ref().is_some_and(|only_host| only_host != host) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, mut near) = duplex(64 * 1024);
        let (mut far, theirs) = duplex(64 * 1024);
        let service = TowerToHyperService::new(self.broker.router());
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(theirs), service).with_upgrades().await;
        });
        let mut frozen = cables.frozen.subscribe();
        let cable = tokio::spawn(async move {
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                _ = frozen.changed() => std::future::pending().await,
            }
        });
        cables.laid.push(cable.abort_handle());
        Ok(Box::new(ours))
    }
}
