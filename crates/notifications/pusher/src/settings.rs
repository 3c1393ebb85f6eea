use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use internal_notifications_models::{InternalNotification, NotificationId, OpId, RealtimeInfo};
use internal_notifications_service::{OfflinePush, ServiceError, ServiceErrorKind};
use pusher_client::{Authorizer, Connector, EventName, Roots};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::base_url::BaseUrl;
use crate::{Channels, Http, Identity};

/// What a service goes by; checked.
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) identity: Arc<dyn Identity>,
    pub(crate) connector: Option<Arc<dyn Connector>>,
    pub(crate) authorizer: Option<Arc<dyn Authorizer>>,
    pub(crate) auth_endpoint: Option<String>,
    /// Another event that carries a notification.
    pub(crate) event: Option<EventName>,
    pub(crate) roots: Roots,
    pub(crate) window: usize,
    pub(crate) announcement_queue: usize,
    pub(crate) offline_push: OfflinePush,
    pub(crate) position_check: Option<Duration>,
    pub(crate) call_timeout: Duration,
    pub(crate) rng: Mutex<StdRng>,
}

/// What a service is a client of.
pub(crate) enum Target {
    /// An inbox server.
    Server(Endpoint),
    /// A Channels app alone; with an endpoint that authorizes, unless the caller does.
    LiveOnly(Channels, Option<Endpoint>),
}

/// A base URL, and who carries requests there.
pub(crate) struct Endpoint {
    pub(crate) base: BaseUrl,
    pub(crate) http: Arc<dyn Http>,
}

/// The most notifications of one page of the server.
const PAGE: usize = 200;

impl Settings {
    /// How many notifications the first snapshot has.
    pub(crate) fn first_page(&self) -> usize {
        self.window.min(PAGE)
    }

    /// A random number of the service's own generator.
    pub(crate) fn random<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A generator for a task.
    pub(crate) fn fork_rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.random(|rng| rng.random()))
    }

    /// How often the position is checked, at least.
    pub(crate) fn check_interval(&self, info: &RealtimeInfo) -> Duration {
        let told = Duration::from_secs(info.position_check_seconds.min(86_400));
        self.position_check.unwrap_or(told).max(Duration::from_secs(1))
    }

    /// An id for an operation.
    pub(crate) fn op(&self) -> Result<OpId, ServiceError> {
        let bits: u128 = self.random(|rng| rng.random());
        OpId::new(format!("{bits:032x}")).map_err(invalid)
    }

    /// The notification with an id, so that pushing it again is harmless.
    pub(crate) fn with_id(
        &self,
        notification: InternalNotification,
    ) -> Result<InternalNotification, ServiceError> {
        if notification.id.is_some() {
            return Ok(notification);
        }
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &self.random(|rng| rng.random()));
        let id = NotificationId::new(id.into_uuid().to_string()).map_err(invalid)?;
        Ok(notification.with_id(id))
    }
}

fn invalid(error: impl fmt::Display) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Invalid, error.to_string())
}
