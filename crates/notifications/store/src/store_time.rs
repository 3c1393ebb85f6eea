use internal_notifications_models::Timestamp;

/// The times that a server compares with its clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreTime {
    /// The database's own time, for all servers that share it; `None` if the store is not shared.
    pub now: Option<Timestamp>,
    /// The time that was last recorded; `None` if none was.
    pub recorded: Option<Timestamp>,
}

impl StoreTime {
    /// Creates the times of a store.
    pub fn new(now: Option<Timestamp>, recorded: Option<Timestamp>) -> Self {
        Self { now, recorded }
    }

    /// Parses a recorded time, in milliseconds. A value that is none counts as missing.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn parse_recorded(value: &str) -> Option<Timestamp> {
        Timestamp::from_millisecond(value.parse().ok()?).ok()
    }
}

/// The name of the setting with the recorded time.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) const RECORDED_TIME: &str = "recorded_time";
