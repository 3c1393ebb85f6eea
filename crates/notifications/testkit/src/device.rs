use std::fmt;
use std::sync::Arc;

use internal_notifications_service::InternalNotificationsService;

use crate::Connection;

/// A device of a user: a service and, if the test can cut it, the service's connection.
#[derive(Clone)]
pub struct Device {
    service: Arc<dyn InternalNotificationsService>,
    connection: Option<Arc<dyn Connection>>,
}

impl Device {
    /// Creates a device whose connection cannot be cut. Bullets 4 and 22 to 26 need one that can:
    /// add it by [`with_connection`](Self::with_connection).
    pub fn new(service: impl InternalNotificationsService + 'static) -> Self {
        Self { service: Arc::new(service), connection: None }
    }

    /// Sets the connection of the device.
    pub fn with_connection(mut self, connection: impl Connection + 'static) -> Self {
        self.connection = Some(Arc::new(connection));
        self
    }

    /// Replaces the service, for example by one that wraps it. The connection stays.
    pub fn map<S: InternalNotificationsService + 'static>(
        self,
        wrap: impl FnOnce(Arc<dyn InternalNotificationsService>) -> S,
    ) -> Self {
        Self { service: Arc::new(wrap(self.service)), connection: self.connection }
    }

    /// Returns the service.
    pub fn service(&self) -> &Arc<dyn InternalNotificationsService> {
        &self.service
    }

    /// Returns the connection, if the device has one that can be cut.
    pub fn connection(&self) -> Option<&Arc<dyn Connection>> {
        self.connection.as_ref()
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
