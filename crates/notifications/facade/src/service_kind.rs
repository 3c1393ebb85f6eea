use std::fmt;
use std::str::FromStr;

use internal_notifications_service::{ServiceError, ServiceErrorKind};

/// The kind of service behind [`InternalNotifications`](crate::InternalNotifications), as
/// `INTERNAL_NOTIFICATIONS_SERVICE` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceKind {
    /// `pusher`: the inbox of a server, live over Pusher Channels. Needs the feature `pusher`.
    Pusher,
    /// `mock`: an inbox in memory. Needs the feature `mock`.
    Mock,
    /// `none`: notifications are switched off.
    None,
    /// `custom`: a service of your own, given to the builder.
    Custom,
}

impl ServiceKind {
    const ALL: [Self; 4] = [Self::Pusher, Self::Mock, Self::None, Self::Custom];

    /// Returns the name of the service in the environment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pusher => "pusher",
            Self::Mock => "mock",
            Self::None => "none",
            Self::Custom => "custom",
        }
    }

    /// Returns whether this build includes the service, which depends on the crate's features.
    pub fn is_available(self) -> bool {
        match self {
            Self::Pusher => cfg!(feature = "pusher"),
            Self::Mock => cfg!(feature = "mock"),
            Self::None | Self::Custom => true,
        }
    }

    /// Returns the error for a service that this build does not include.
    #[cfg(not(all(feature = "pusher", feature = "mock")))]
    pub(crate) fn not_in_this_build(self) -> ServiceError {
        let message = format!(
            "the service {self} is not in this build, which has {}: enable the feature `{self}` of internal-notifications",
            available()
        );
        ServiceError::new(ServiceErrorKind::Configuration, message)
    }
}

/// Returns the names of the services in this build: `pusher, none, custom`.
fn available() -> String {
    let available = ServiceKind::ALL.into_iter().filter(|kind| kind.is_available());
    available.map(ServiceKind::as_str).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses any of the four names. The error for another name lists the services of this build.
impl FromStr for ServiceKind {
    type Err = ServiceError;

    fn from_str(name: &str) -> Result<Self, ServiceError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let message = format!("there is no service {name:?}; this build has {}", available());
            ServiceError::new(ServiceErrorKind::Configuration, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displayed_kind_parses_as_itself() {
        for kind in ServiceKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn the_error_for_an_unknown_kind_lists_the_known_ones() {
        for name in ["pushr", "Pusher", " none", ""] {
            let error = name.parse::<ServiceKind>().unwrap_err();
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            let text = error.to_string();
            assert!(text.contains(&format!("{name:?}")) && text.ends_with("none, custom"), "{text}");
        }
    }
}
