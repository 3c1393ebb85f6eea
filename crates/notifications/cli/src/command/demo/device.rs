use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use internal_notifications::with_causes;
use internal_notifications::{
    Announcement, InternalNotification, InternalNotifications, NotificationId, ServiceError, Snapshot,
    Status, UserId,
};
use internal_notifications_server::Server;

use crate::error::Error;

/// How long a step may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A user's app on a device: a client like that of any app.
pub(super) struct Device {
    name: &'static str,
    service: InternalNotifications,
    announcements: BoxStream<'static, Announcement>,
}

impl Device {
    /// Connects, and waits until the inbox is live.
    pub(super) async fn connect(server: &Server, name: &'static str, user: &UserId) -> Result<Self, Error> {
        let token = super::token(server, user)?;
        let service = InternalNotifications::builder().url(server.url()).user(user.clone(), token).build();
        let service = service.map_err(|error| failed(name, &error))?;
        let device = Self { name, announcements: service.announcements(), service };
        device.service.init().await.map_err(|error| failed(name, &error))?;
        device.until("is live", |now| now.status == Status::Live).await?;
        Ok(device)
    }

    pub(super) async fn push(
        &self,
        to: &UserId,
        heading: &str,
        content: &str,
    ) -> Result<NotificationId, Error> {
        let notification = InternalNotification::new(content).with_heading(heading);
        let receipt = self.service.push(std::slice::from_ref(to), notification).await;
        receipt.map(|receipt| receipt.id).map_err(|error| failed(self.name, &error))
    }

    pub(super) async fn go_offline(&self) -> Result<(), Error> {
        self.service.unsubscribe().await.map_err(|error| failed(self.name, &error))
    }

    pub(super) async fn come_back(&self) -> Result<(), Error> {
        self.service.subscribe().await.map_err(|error| failed(self.name, &error))
    }

    pub(super) async fn open(&self, id: &NotificationId) -> Result<(), Error> {
        let opened = self.service.mark_opened(std::slice::from_ref(id)).await;
        opened.map(drop).map_err(|error| failed(self.name, &error))
    }

    pub(super) async fn open_all(&self) -> Result<(), Error> {
        self.service.mark_all_opened().await.map(drop).map_err(|error| failed(self.name, &error))
    }

    pub(super) fn now(&self) -> Snapshot {
        self.service.snapshot()
    }

    /// Waits until the snapshot meets the condition, which `what` describes in the error.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Snapshot) -> bool) -> Result<(), Error> {
        let mut snapshots = self.service.snapshots();
        let fulfilled = async {
            while let Some(now) = snapshots.next().await {
                if condition(&now) {
                    return true;
                }
            }
            false
        };
        match tokio::time::timeout(TIMEOUT, fulfilled).await {
            Ok(true) => Ok(()),
            _ => Err(self.failure(what)),
        }
    }

    /// Checks that exactly these are announced next, in this order.
    pub(super) async fn announces(&mut self, ids: &[NotificationId]) -> Result<(), Error> {
        let mut announced = Vec::new();
        while announced.len() < ids.len() {
            match tokio::time::timeout(TIMEOUT, self.announcements.next()).await {
                Ok(Some(Announcement::Notification(row))) => announced.push(row.id.clone()),
                _ => return Err(self.failure("announces what it received")),
            }
        }
        match announced == ids && self.announcements.next().now_or_never().is_none() {
            true => Ok(()),
            false => Err(self.failure("announces each notification once, in order")),
        }
    }

    pub(super) fn failure(&self, what: &str) -> Error {
        Error::failed(format!("the demo failed: expected that {} {what}", self.name))
    }
}

fn failed(name: &str, error: &ServiceError) -> Error {
    Error::failed(format!("the demo failed: {name}: {}", with_causes(error)))
}
