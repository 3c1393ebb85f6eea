use std::fmt;

/// How a service violates the contract.
///
/// `Display` prints `contract 17: …`. `Debug` prints the same, because that is what a failed test
/// shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    bullet: u8,
    what: String,
}

impl Violation {
    pub(crate) fn new(bullet: u8, what: impl Into<String>) -> Self {
        Self { bullet, what: what.into() }
    }

    /// Returns the number of the violated bullet of the [contract].
    ///
    /// [contract]: internal_notifications_service::InternalNotificationsService#contract
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

/// A failed check inside a bullet's test, without the bullet's number.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// The result of a check inside a bullet's test.
pub(crate) type CheckResult<T = ()> = Result<T, Failure>;

/// Returns a [`Failure`] with the formatted message unless the condition is true.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::violation::Failure(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;
