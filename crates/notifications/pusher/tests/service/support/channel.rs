use std::io;
use std::sync::{Arc, Mutex};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use internal_notifications_pusher::pusher_client::{BoxTransport, Connector};
use pusher_broker::Broker;
use tokio::io::{copy_bidirectional, duplex};
use tokio::task::AbortHandle;

/// In-memory connections to a broker, which can be cut.
#[derive(Clone)]
pub struct Network {
    broker: Broker,
    cables: Arc<Mutex<Cables>>,
}

#[derive(Default)]
struct Cables {
    down: bool,
    /// The one host that is there; any, when none is named.
    only: Option<String>,
    laid: Vec<AbortHandle>,
}

impl Network {
    pub fn to(broker: Broker) -> Self {
        Self { broker, cables: Arc::default() }
    }

    /// Cuts every connection; later ones are made while it is not `down`.
    pub fn cut(&self, down: bool) {
        let mut cables = self.cables.lock().unwrap();
        cables.down = down;
        cables.laid.drain(..).for_each(|cable| cable.abort());
    }

    /// Cuts every connection; later ones are made to this host alone.
    pub fn move_to(&self, host: &str) {
        self.cables.lock().unwrap().only = Some(host.to_owned());
        self.cut(false);
    }
}

#[async_trait::async_trait]
impl Connector for Network {
    async fn connect(&self, host: &str, _port: u16) -> io::Result<BoxTransport> {
        let mut cables = self.cables.lock().unwrap();
        if cables.down || cables.only.as_ref().is_some_and(|only| only != host) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, mut near) = duplex(64 * 1024);
        let (mut far, theirs) = duplex(64 * 1024);
        let service = TowerToHyperService::new(self.broker.router());
        tokio::spawn(async move {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(theirs), service).with_upgrades().await;
        });
        let cable = tokio::spawn(async move { drop(copy_bidirectional(&mut near, &mut far).await) });
        cables.laid.push(cable.abort_handle());
        Ok(Box::new(ours))
    }
}
