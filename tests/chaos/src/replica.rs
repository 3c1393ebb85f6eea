use crate::failure::Failure;
use futures_util::StreamExt;
use internal_notifications_pusher::PusherService;
use internal_notifications_pusher::contract::{
    Announcement, InternalNotificationsService, InternalNotificationsServiceExt, Snapshot,
};
use internal_notifications_pusher::models::Position;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A loss without another sign of it is found within this time.
const POSITION_CHECK: Duration = Duration::from_secs(5);

/// A device of a user: the Pusher service, through a proxy of its own.
pub(crate) struct Replica {
    pub(crate) name: String,
    /// Whose, by number.
    pub(crate) user: usize,
    service: PusherService,
    /// How often each id was announced.
    announced: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Replica {
    /// One that holds at most `window` notifications until it is asked for all, and has its first snapshot.
    pub(crate) async fn start(
        server: SocketAddr,
        user: (usize, &str),
        token: &str,
        window: usize,
        name: String,
    ) -> Result<Self, Failure> {
        let builder = PusherService::builder().url(format!("http://{server}")).user(user.1.parse()?, token);
        let service = builder.window(window).position_check(POSITION_CHECK).build()?;
        let announced: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
        let (mut announcements, heard) = (service.announcements(), announced.clone());
        tokio::spawn(async move {
            while let Some(announcement) = announcements.next().await {
                if let Announcement::Notification(notification) = announcement {
                    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    *heard.entry(notification.id.to_string()).or_default() += 1;
                }
            }
        });
        service.init().await?;
        Ok(Self { name, user: user.0, service, announced })
    }

    /// Returns when it shows that notification.
    pub(crate) async fn shows(&self, id: &str) {
        let is_there = |now: &Snapshot| now.notifications.iter().any(|row| row.id.as_str() == id);
        self.service.wait_for(is_there).await;
    }

    /// Its whole list, once it is at that position; none before.
    pub(crate) async fn at(&self, position: Position) -> Option<Snapshot> {
        let is_there = |now: &Snapshot| now.position == position;
        let mut now = tokio::time::timeout(POSITION_CHECK, self.service.wait_for(is_there)).await.ok()??;
        while now.has_older {
            // What cannot be loaded is found missing.
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
        let twice = announced.iter().filter(|(_, times)| **times > 1);
        twice.map(|(id, times)| format!("{}: {id} announced {times} times", self.name)).collect()
    }

    pub(crate) async fn end(&self) {
        self.service.dispose().await;
    }
}
