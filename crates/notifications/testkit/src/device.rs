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

    /// Lets every `init` fail until it is mended (4). Cuts it, unless you know better.
    async fn fail_init(&self) {
        self.cut().await;
    }

    /// Has the server refuse the next write of this device that arrives after having been queued (24); false where that cannot be arranged.
    /// Then a removal of what another device removed meanwhile is all that the suite sees refused, and no roll-back of a mark.
    async fn refuse_next_write(&self) -> bool {
        false
    }
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

    /// Its connection, if it has one that can be cut.
    pub fn connection(&self) -> Option<&Arc<dyn Connection>> {
        self.connection.as_ref()
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

    async fn fail_init(&self) {
        (**self).fail_init().await;
    }

    async fn refuse_next_write(&self) -> bool {
        (**self).refuse_next_write().await
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device")
            .field("status", &self.service.snapshot().status)
            .field("has_connection", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
