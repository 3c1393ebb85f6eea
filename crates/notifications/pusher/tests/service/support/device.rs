use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications_pusher::contract::{InternalNotificationsService, Snapshot, Status};
use internal_notifications_pusher::{Identity, PusherService, PusherServiceBuilder};

use super::{Network, Server};

/// How long a test waits. The clock is paused, so only a failing test takes time.
pub const TIMEOUT: Duration = Duration::from_secs(3_600);

/// A user's app.
pub struct Device {
    pub service: PusherService,
    pub network: Network,
}

impl Device {
    /// Creates ada's app, with position checks so rare that they do not hide other recoveries.
    pub fn new(server: &Server) -> Self {
        Self::with(server, |builder| builder)
    }

    /// Creates ada's app with further settings.
    pub fn with(
        server: &Server,
        configure: impl FnOnce(PusherServiceBuilder) -> PusherServiceBuilder,
    ) -> Self {
        Self::configured(server, |builder| configure(builder.user("ada", "ada-token")))
    }

    /// Creates the app of the user that the identity names.
    pub fn with_identity(server: &Server, identity: impl Identity + 'static) -> Self {
        Self::configured(server, |builder| builder.identity(identity))
    }

    fn configured(
        server: &Server,
        configure: impl FnOnce(PusherServiceBuilder) -> PusherServiceBuilder,
    ) -> Self {
        let network = Network::to(server.broker.clone());
        let builder = PusherService::builder()
            .url("http://inbox.test")
            .position_check(Duration::from_secs(86_400))
            .http_client(server.clone())
            .connector(network.clone())
            .seed(7);
        Self { service: configure(builder).build().unwrap(), network }
    }

    /// Creates ada's app and waits until it is live.
    pub async fn live(server: &Server) -> Self {
        let device = Self::new(server);
        device.go_live().await;
        device
    }

    pub async fn go_live(&self) {
        self.service.init().await.unwrap();
        self.until_live().await;
    }

    pub async fn until_live(&self) {
        self.until(|snapshot| snapshot.status == Status::Live).await;
    }

    pub async fn until(&self, condition: impl Fn(&Snapshot) -> bool) -> Snapshot {
        let mut snapshots = self.service.snapshots();
        let found = async {
            loop {
                let snapshot = snapshots.next().await.expect("the service runs");
                if condition(&snapshot) {
                    return snapshot;
                }
            }
        };
        let found = tokio::time::timeout(TIMEOUT, found).await;
        found.unwrap_or_else(|_| panic!("timed out at {:?}", self.service.snapshot()))
    }

    pub async fn until_seq(&self, seq: u64) -> Snapshot {
        self.until(|snapshot| snapshot.position.seq == seq && snapshot.status == Status::Live).await
    }

    /// Waits until the server and the replica have every write.
    pub async fn until_stored(&self) -> Snapshot {
        self.until(|snapshot| snapshot.unconfirmed == 0 && snapshot.status == Status::Live).await
    }

    /// Cuts all connections, and waits until the status shows it.
    pub async fn cut(&self, server: &Server) {
        server.world().is_down = true;
        self.network.cut(true);
        self.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    }

    pub fn mend(&self, server: &Server) {
        server.world().is_down = false;
        self.network.cut(false);
    }

    /// Returns the ids in the list, newest first, pending ones with a star.
    pub fn ids(&self) -> Vec<String> {
        ids(&self.service.snapshot())
    }
}

pub fn ids(snapshot: &Snapshot) -> Vec<String> {
    let star = |opened: bool| if opened { "" } else { "*" };
    snapshot.notifications.iter().map(|row| format!("{}{}", row.id, star(row.opened))).collect()
}

/// Waits for a future that must complete.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, what).await.expect("the future must complete in time")
}
