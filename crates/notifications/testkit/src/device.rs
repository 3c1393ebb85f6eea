use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_service::InternalNotificationsService;

/// A service on a device of a user, and its connection.
#[derive(Clone)]
pub struct Device {
    service: Arc<dyn InternalNotificationsService>,
    connection: Option<Arc<dyn Connection>>,
}

/// The connection of one device alone.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Breaks it so that the service notices, and keeps it broken.
    async fn cut(&self);

    /// Lets the service connect again.
    async fn mend(&self);
}

impl Device {
    /// A device whose connection cannot be cut: bullets 4 and 22 to 26 need one.
    pub fn new(service: impl InternalNotificationsService + 'static) -> Self {
        Self { service: Arc::new(service), connection: None }
    }

    /// With a connection.
    pub fn with_connection(mut self, connection: impl Connection + 'static) -> Self {
        self.connection = Some(Arc::new(connection));
        self
    }

    /// The same device with another service on it: one that wraps the first, say.
    pub fn map<S: InternalNotificationsService + 'static>(
        self,
        wrap: impl FnOnce(Arc<dyn InternalNotificationsService>) -> S,
    ) -> Self {
        Self { service: Arc::new(wrap(self.service)), connection: self.connection }
    }

    /// The service.
    pub fn service(&self) -> &Arc<dyn InternalNotificationsService> {
        &self.service
    }

    /// Whether it has a connection that can be cut.
    pub fn has_connection(&self) -> bool {
        self.connection.is_some()
    }

    /// Cuts its connection, if it has one.
    pub async fn cut(&self) {
        if let Some(connection) = &self.connection {
            connection.cut().await;
        }
    }

    /// Mends its connection, if it has one.
    pub async fn mend(&self) {
        if let Some(connection) = &self.connection {
            connection.mend().await;
        }
    }
}

#[async_trait]
impl<C: Connection + ?Sized> Connection for Arc<C> {
    async fn cut(&self) {
        (**self).cut().await;
    }

    async fn mend(&self) {
        (**self).mend().await;
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("status", &self.service.snapshot().status)
            .field("has_connection", &self.has_connection())
            .finish_non_exhaustive()
    }
}
