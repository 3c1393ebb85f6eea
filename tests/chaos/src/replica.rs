use crate::checks::latency::Device;
use crate::failure::Failure;
use futures_util::StreamExt;
use internal_notifications_pusher::PusherService;
use internal_notifications_pusher::contract::{
    Announcement, InternalNotificationsService, InternalNotificationsServiceExt, Snapshot, Status,
};
use internal_notifications_pusher::models::Position;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A lost event is noticed within this time, even if no other event follows.
const POSITION_CHECK: Duration = Duration::from_secs(5);

/// A user's device: the Pusher service behind its own proxy.
pub(crate) struct Replica {
    pub(crate) name: String,
    /// The number of its user.
    pub(crate) user: usize,
    service: PusherService,
    announced: Arc<Mutex<BTreeMap<String, Announced>>>,
}

/// The announcements of one id.
#[derive(Clone, Copy, Debug)]
struct Announced {
    first: Instant,
    times: u32,
}

impl Replica {
    /// Starts a device that holds at most `window` notifications at first, and waits for its first
    /// snapshot.
    pub(crate) async fn start(
        server: SocketAddr,
        user: (usize, &str),
        token: &str,
        window: usize,
        name: String,
    ) -> Result<Self, Failure> {
        let builder = PusherService::builder().url(format!("http://{server}")).user(user.1, token);
        let service = builder.window(window).position_check(POSITION_CHECK).build()?;
        let announced: Arc<Mutex<BTreeMap<String, Announced>>> = Arc::default();
        let (mut announcements, counts) = (service.announcements(), announced.clone());
        tokio::spawn(async move {
            while let Some(announcement) = announcements.next().await {
                if let Announcement::Notification(notification) = announcement {
                    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                    let first = Announced { first: Instant::now(), times: 0 };
                    counts.entry(notification.id.to_string()).or_insert(first).times += 1;
                }
            }
        });
        service.init().await?;
        Ok(Self { name, user: user.0, service, announced })
    }

    /// Waits until it shows a notification.
    pub(crate) async fn wait_for(&self, id: &str) {
        let is_there = |now: &Snapshot| now.notifications.iter().any(|row| row.id.as_str() == id);
        self.service.wait_for(is_there).await;
    }

    /// Loads the whole list and returns it, or `None` if the replica is not at this position.
    pub(crate) async fn snapshot_at(&self, position: Position) -> Option<Snapshot> {
        let is_there = |now: &Snapshot| now.position == position;
        let mut now = tokio::time::timeout(POSITION_CHECK, self.service.wait_for(is_there)).await.ok()??;
        while now.has_older {
            // A page that cannot be loaded shows up as missing rows.
            self.service.load_older(200).await.ok()?;
            now = self.service.snapshot();
        }
        (now.position == position).then_some(now)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.service.snapshot()
    }

    pub(crate) fn announced_twice(&self) -> Vec<String> {
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let twice = announced.iter().filter(|(_, announced)| announced.times > 1);
        twice
            .map(|(id, announced)| format!("{}: {id} announced {} times", self.name, announced.times))
            .collect()
    }

    /// Returns what it announced so far.
    pub(crate) fn device(&self) -> Device {
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let announced = announced.iter().map(|(id, announced)| (id.clone(), announced.first)).collect();
        Device { user: self.user, name: self.name.clone(), announced }
    }

    /// Waits until it is subscribed and up to date.
    pub(crate) async fn wait_until_live(&self) {
        self.service.wait_for(|now| now.status == Status::Live).await;
    }

    pub(crate) async fn dispose(&self) {
        self.service.dispose().await;
    }
}
