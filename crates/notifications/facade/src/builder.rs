#[cfg(any(feature = "pusher", feature = "mock"))]
mod inbox;
#[cfg(feature = "mock")]
mod mock;
#[cfg(feature = "pusher")]
mod pusher;

use std::fmt;
use std::sync::Arc;

use internal_notifications_service::{InternalNotificationsService, ServiceError, ServiceErrorKind};

use crate::disabled_service::DisabledService;
use crate::env::Env;
use crate::{InternalNotifications, ServiceKind};

/// Builds an [`InternalNotifications`].
///
/// Settings take precedence over the [environment](Self::env). The builder ignores settings that
/// the chosen service does not need, so one builder can serve every kind of service. Two settings
/// that contradict each other are an error. `Debug` shows no setting.
#[derive(Clone, Default)]
pub struct InternalNotificationsBuilder {
    pub(crate) kind: Option<ServiceKind>,
    pub(crate) custom: Option<Arc<dyn InternalNotificationsService>>,
    env: Env,
    /// The first invalid setting.
    invalid: Option<ServiceError>,
    #[cfg(feature = "pusher")]
    pub(crate) pusher: internal_notifications_pusher::PusherServiceBuilder,
    /// The setting that names a server: `url` or `channels`.
    #[cfg(feature = "pusher")]
    pub(crate) server: Option<&'static str>,
    #[cfg(feature = "mock")]
    mock: internal_notifications_mock::MockServiceBuilder,
    #[cfg(feature = "mock")]
    pub(crate) has_hub: bool,
}

impl InternalNotificationsBuilder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets the kind of service.
    ///
    /// The default is the first of these: `INTERNAL_NOTIFICATIONS_SERVICE` in the
    /// [environment](Self::env), the kind that another setting implies ([`custom`](Self::custom), a
    /// mock's `hub`), [`ServiceKind::Pusher`].
    pub fn service(mut self, kind: ServiceKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets a service of your own, for [`ServiceKind::Custom`].
    pub fn custom(mut self, service: impl InternalNotificationsService + 'static) -> Self {
        self.custom = Some(Arc::new(service));
        self
    }

    /// Sets the environment, which supplies what is not set in code. By default it is empty.
    ///
    /// `|name| std::env::var(name).ok()` reads the environment of the process. The crate's
    /// documentation lists the variables.
    pub fn env(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        self.with_env(Env::new(lookup))
    }

    pub(crate) fn with_env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Builds the service, which is idle until its `init`.
    ///
    /// # Errors
    /// Returns [`ServiceErrorKind::Configuration`] if the service is unknown or not part of this
    /// build, or if settings are missing, invalid or contradict each other. Returns
    /// [`ServiceErrorKind::Unauthorized`] if the token belongs to another user.
    pub fn build(mut self) -> Result<InternalNotifications, ServiceError> {
        if let Some(error) = self.invalid.take() {
            return Err(error);
        }
        self.check_conflicts()?;
        let kind = self.chosen_kind()?;
        let service: Arc<dyn InternalNotificationsService> = match kind {
            #[cfg(feature = "pusher")]
            ServiceKind::Pusher => Arc::new(self.build_pusher()?),
            #[cfg(feature = "mock")]
            ServiceKind::Mock => Arc::new(self.build_mock()?),
            ServiceKind::None => Arc::new(DisabledService::new()),
            ServiceKind::Custom => self.custom.ok_or_else(no_custom_service)?,
            #[cfg(not(all(feature = "pusher", feature = "mock")))]
            unavailable => return Err(unavailable.not_in_this_build()),
        };
        Ok(InternalNotifications::new(kind, service))
    }

    fn chosen_kind(&self) -> Result<ServiceKind, ServiceError> {
        if let Some(kind) = self.kind {
            return Ok(kind);
        }
        match self.env.service()? {
            Some(kind) => Ok(kind),
            None => Ok(self.implied_kind()?.unwrap_or(ServiceKind::Pusher)),
        }
    }
}

fn no_custom_service() -> ServiceError {
    let message = "the service is custom, but the builder has none: set it by `custom`";
    ServiceError::new(ServiceErrorKind::Configuration, message)
}

impl fmt::Debug for InternalNotificationsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InternalNotificationsBuilder").field("service", &self.kind).finish_non_exhaustive()
    }
}
