use std::fmt;
use std::sync::Arc;

use internal_notifications_service::{InternalNotificationsService, ServiceError, ServiceErrorKind};

use crate::contradictions;
use crate::env::Env;
use crate::none::NoService;
use crate::{InternalNotifications, ServiceKind};

/// Builds an [`InternalNotifications`].
///
/// What code says goes before what the environment says. A setting that the chosen service has no use for is ignored, so that one builder
/// serves every kind; two settings that contradict each other are an error that names both. `Debug` shows no setting.
#[derive(Clone, Default)]
pub struct InternalNotificationsBuilder {
    pub(crate) kind: Option<ServiceKind>,
    pub(crate) env: Env,
    pub(crate) custom: Option<Arc<dyn InternalNotificationsService>>,
    #[cfg(any(feature = "pusher", feature = "mock"))]
    pub(crate) inbox: crate::inbox_settings::InboxSettings,
    #[cfg(feature = "pusher")]
    pub(crate) pusher: crate::pusher::PusherSettings,
    #[cfg(feature = "mock")]
    pub(crate) hub: Option<crate::MockHub>,
}

impl InternalNotificationsBuilder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Which service. Without it: what `INTERNAL_NOTIFICATIONS_SERVICE` says in the [`env`](Self::env); else the one that the builder was given
    /// ([`custom`](Self::custom), or a mock's hub); else [`ServiceKind::Pusher`].
    pub fn service(mut self, kind: ServiceKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The service of the kind [`custom`](ServiceKind::Custom): one of the caller's own, which any `Arc` of a service is.
    pub fn custom(mut self, service: Arc<dyn InternalNotificationsService>) -> Self {
        self.custom = Some(service);
        self
    }

    /// An environment for what the builder does not say: `|name| std::env::var(name).ok()` in a program. The variables stand in the table of
    /// the crate's documentation.
    pub fn env(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.with_env(Env::new(lookup))
    }

    pub(crate) fn with_env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// The notifications, idle until their `init`.
    ///
    /// # Errors
    /// [`ServiceErrorKind::Configuration`]: a service that is unknown, or that this build leaves out; settings that are missing, wrong, or
    /// contradict each other. [`ServiceErrorKind::Unauthorized`]: a token of another user.
    pub fn build(self) -> Result<InternalNotifications, ServiceError> {
        contradictions::check(&self)?;
        let kind = self.chosen()?;
        let service: Arc<dyn InternalNotificationsService> = match kind {
            #[cfg(feature = "pusher")]
            ServiceKind::Pusher => Arc::new(self.pusher_service()?),
            #[cfg(feature = "mock")]
            ServiceKind::Mock => self.mock_service()?,
            ServiceKind::None => Arc::new(NoService::default()),
            ServiceKind::Custom => self.custom.ok_or_else(without_custom)?,
            #[cfg(not(all(feature = "pusher", feature = "mock")))]
            left_out => return Err(left_out.left_out()),
        };
        Ok(InternalNotifications::new(kind, service))
    }

    fn chosen(&self) -> Result<ServiceKind, ServiceError> {
        if let Some(kind) = self.kind {
            return Ok(kind);
        }
        match self.env.service()? {
            Some(kind) => Ok(kind),
            None => Ok(contradictions::given(self)?.unwrap_or(ServiceKind::Pusher)),
        }
    }
}

fn without_custom() -> ServiceError {
    let detail = "the service is custom, and there is none: give the builder one with `custom`";
    ServiceError::new(ServiceErrorKind::Configuration, detail)
}

impl fmt::Debug for InternalNotificationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalNotificationsBuilder").field("service", &self.kind).finish_non_exhaustive()
    }
}
