use std::fmt;
use std::str::FromStr;

use internal_notifications_service::{ServiceError, ServiceErrorKind};

/// Which service is behind [`InternalNotifications`](crate::InternalNotifications): what `INTERNAL_NOTIFICATIONS_SERVICE` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceKind {
    /// `pusher`: the inbox of a server, live over Pusher Channels. Feature `pusher`.
    Pusher,
    /// `mock`: an inbox in memory. Feature `mock`.
    Mock,
    /// `none`: notifications are switched off, and the app runs.
    None,
    /// `custom`: the builder was given a service of the caller's.
    Custom,
}

impl ServiceKind {
    const ALL: [Self; 4] = [Self::Pusher, Self::Mock, Self::None, Self::Custom];

    /// Its name, as the environment has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pusher => "pusher",
            Self::Mock => "mock",
            Self::None => "none",
            Self::Custom => "custom",
        }
    }

    /// Whether this build has it: the crate's features leave services out.
    pub fn is_available(self) -> bool {
        match self {
            Self::Pusher => cfg!(feature = "pusher"),
            Self::Mock => cfg!(feature = "mock"),
            Self::None | Self::Custom => true,
        }
    }

    /// What is said to who asks for one that this build leaves out.
    #[cfg(not(all(feature = "pusher", feature = "mock")))]
    pub(crate) fn left_out(self) -> ServiceError {
        let detail = format!(
            "the service {self} is left out of this build, which has {}: enable the feature `{self}` of internal-notifications",
            available()
        );
        ServiceError::new(ServiceErrorKind::Configuration, detail)
    }
}

/// `pusher, none, custom`.
fn available() -> String {
    let available = ServiceKind::ALL.into_iter().filter(|kind| kind.is_available());
    available.map(ServiceKind::as_str).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for ServiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of an unknown name lists what this build has. One that is known and left out is an error of the builder's `build`.
impl FromStr for ServiceKind {
    type Err = ServiceError;

    fn from_str(name: &str) -> Result<Self, ServiceError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            let detail = format!("there is no service {name:?}; this build has {}", available());
            ServiceError::new(ServiceErrorKind::Configuration, detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_read_by_the_name_that_it_shows() {
        for kind in ServiceKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_kind_is_told_what_there_is() {
        for name in ["pushr", "Pusher", " none", ""] {
            let error = name.parse::<ServiceKind>().unwrap_err();
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            let text = error.to_string();
            assert!(text.contains(&format!("{name:?}")) && text.ends_with("none, custom"), "{text}");
            assert_eq!(text.contains("mock"), cfg!(feature = "mock"), "{text}");
            assert_eq!(text.contains("has pusher"), cfg!(feature = "pusher"), "{text}");
        }
    }
}
