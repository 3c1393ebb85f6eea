use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use internal_notifications_models::{InternalNotification, NotificationId, OpId, RealtimeInfo};
use internal_notifications_service::{OfflinePush, ServiceError, Storage};
use pusher_client::{Authorizer, Connector, EventName, Roots};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::actor::WallClock;
use crate::api::BaseUrl;
use crate::{Channels, HttpClient, Identity};

/// The checked settings of a service.
pub(crate) struct Settings {
    pub(crate) target: Target,
    pub(crate) identity: Arc<dyn Identity>,
    /// A further event that carries a notification.
    pub(crate) event: Option<EventName>,
    pub(crate) options: Options,
    pub(crate) rng: Mutex<StdRng>,
}

/// The settings that need no check.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) connector: Option<Arc<dyn Connector>>,
    pub(crate) authorizer: Option<Arc<dyn Authorizer>>,
    pub(crate) auth_endpoint: Option<String>,
    pub(crate) roots: Roots,
    pub(crate) proxy: Option<String>,
    pub(crate) window: usize,
    pub(crate) announcement_queue: usize,
    pub(crate) offline_push: OfflinePush,
    pub(crate) position_check: Option<Duration>,
    pub(crate) call_timeout: Duration,
    pub(crate) storage: Option<Arc<dyn Storage>>,
    pub(crate) start_offline: bool,
    pub(crate) wall_clock: WallClock,
}

/// The server or app that a service connects to.
pub(crate) enum Target {
    /// An inbox server.
    Server(Endpoint),
    /// A Channels app alone, with the endpoint that authorizes its channels unless an authorizer
    /// does.
    LiveOnly(Channels, Option<Endpoint>),
}

/// A base URL, and the client that sends requests to it.
pub(crate) struct Endpoint {
    pub(crate) base: BaseUrl,
    pub(crate) http_client: Arc<dyn HttpClient>,
}

/// The most notifications in one page of the server.
const PAGE: usize = 200;

impl Default for Options {
    fn default() -> Self {
        Self {
            connector: None,
            authorizer: None,
            auth_endpoint: None,
            roots: Roots::new(),
            proxy: None,
            window: 200,
            // A catch-up may announce 10,000 at once; a reader that keeps up misses none of them.
            announcement_queue: 1 << 14,
            offline_push: OfflinePush::default(),
            position_check: None,
            call_timeout: Duration::from_secs(30),
            storage: None,
            start_offline: false,
            wall_clock: Arc::new(SystemTime::now),
        }
    }
}

impl Settings {
    /// Returns how many notifications the first snapshot has.
    pub(crate) fn first_page(&self) -> usize {
        self.options.window.min(PAGE)
    }

    /// Draws a random number from the service's generator.
    pub(crate) fn random<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Creates a generator for a task.
    pub(crate) fn fork_rng(&self) -> StdRng {
        StdRng::seed_from_u64(self.random(|rng| rng.random()))
    }

    /// Returns the longest time between two position checks: a minute until the server has said
    /// what it wants.
    pub(crate) fn check_interval(&self, info: Option<&RealtimeInfo>) -> Duration {
        let seconds = info.map_or(60, |info| info.position_check_seconds.min(86_400));
        let of_server = Duration::from_secs(seconds);
        self.options.position_check.unwrap_or(of_server).max(Duration::from_secs(1))
    }

    /// Creates an id for an operation.
    pub(crate) fn op(&self) -> Result<OpId, ServiceError> {
        let bits: u128 = self.random(|rng| rng.random());
        Ok(OpId::new(format!("{bits:032x}"))?)
    }

    /// Sets an id if the notification has none, so that the push can be repeated safely.
    pub(crate) fn with_id(
        &self,
        notification: InternalNotification,
    ) -> Result<InternalNotification, ServiceError> {
        if notification.id.is_some() {
            return Ok(notification);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &self.random(|rng| rng.random()));
        Ok(notification.with_id(NotificationId::new(id.into_uuid().to_string())?))
    }
}
