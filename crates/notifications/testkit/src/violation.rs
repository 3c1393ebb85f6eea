use std::fmt;

/// What a service did against the contract. Reads as `contract 17: …`; so does its `Debug`, which is what a failed test prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    bullet: u8,
    what: String,
}

/// What did not hold; whoever runs the bullet knows its number.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

/// How a part of a bullet went.
pub(crate) type Held<T = ()> = Result<T, Broken>;

/// Goes on only when it is so.
macro_rules! ensure {
    ($so:expr, $($told:tt)+) => {
        if !$so {
            return Err($crate::violation::Broken(format!($($told)+)));
        }
    };
}
pub(crate) use ensure;

impl Violation {
    pub(crate) fn new(bullet: u8, what: impl Into<String>) -> Self {
        Self { bullet, what: what.into() }
    }

    /// The number of the bullet of
    /// [`InternalNotificationsService`](internal_notifications_service::InternalNotificationsService#contract).
    pub fn bullet(&self) -> u8 {
        self.bullet
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "contract {}: {}", self.bullet, self.what)
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}
