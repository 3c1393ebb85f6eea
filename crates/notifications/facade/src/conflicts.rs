use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::{InternalNotificationsBuilder, ServiceKind};

/// A setting of the builder that implies a kind of service.
pub(crate) struct Implied {
    pub(crate) setting: &'static str,
    pub(crate) kind: ServiceKind,
}

impl InternalNotificationsBuilder {
    /// Returns an error if two settings contradict each other.
    pub(crate) fn check_conflicts(&self) -> Result<(), ServiceError> {
        #[cfg(feature = "pusher")]
        self.pusher.check_conflicts()?;
        // `service(none)` switches notifications off, whatever else is set.
        let Some(kind) = self.kind.filter(|kind| *kind != ServiceKind::None) else { return Ok(()) };
        // A server's address may stay set while another service is chosen; a service may not.
        let mut services = self.implied().filter(|implied| implied.kind != ServiceKind::Pusher);
        match services.find(|implied| implied.kind != kind) {
            Some(Implied { setting, .. }) => Err(conflict(&format!("service({kind})"), setting)),
            None => Ok(()),
        }
    }

    /// Returns the kind of service that the settings imply, if any.
    pub(crate) fn implied_kind(&self) -> Result<Option<ServiceKind>, ServiceError> {
        let mut implied = self.implied();
        let Some(first) = implied.next() else { return Ok(None) };
        match implied.find(|other| other.kind != first.kind) {
            Some(other) => Err(conflict(first.setting, other.setting)),
            None => Ok(Some(first.kind)),
        }
    }

    fn implied(&self) -> impl Iterator<Item = Implied> + use<> {
        let custom = self.custom.as_ref().map(|_| Implied { setting: "custom", kind: ServiceKind::Custom });
        #[cfg(feature = "mock")]
        let hub = self.has_hub.then_some(Implied { setting: "hub", kind: ServiceKind::Mock });
        #[cfg(not(feature = "mock"))]
        let hub = None;
        #[cfg(feature = "pusher")]
        let server = self.server.map(|setting| Implied { setting, kind: ServiceKind::Pusher });
        #[cfg(not(feature = "pusher"))]
        let server = None;
        [custom, hub, server].into_iter().flatten()
    }
}

fn conflict(one: &str, other: &str) -> ServiceError {
    let message = format!(
        "the builder has both `{one}` and `{other}`, which contradict each other: set only one of them"
    );
    ServiceError::new(ServiceErrorKind::Configuration, message)
}
