use internal_notifications_models::Timestamp;

/// The times that a server compares with its clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreTime {
    /// The database's own time, for all servers that share it; `None` if the store is not shared.
    pub now: Option<Timestamp>,
    /// The time that was last recorded; `None` if none was.
    pub recorded: Option<Timestamp>,
    /// Whether the clock was in doubt when the time was recorded.
    pub in_doubt: bool,
}

impl StoreTime {
    /// Creates the times of a store.
    pub fn new(now: Option<Timestamp>, recorded: Option<Timestamp>) -> Self {
        Self { now, recorded, in_doubt: false }
    }

    /// Sets [`in_doubt`](Self::in_doubt).
    pub fn with_in_doubt(self, in_doubt: bool) -> Self {
        Self { in_doubt, ..self }
    }

    /// Parses the setting with the recorded time. A value that cannot be read counts as missing.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn parse(now: Option<Timestamp>, setting: Option<&str>) -> Self {
        let setting = setting.unwrap_or_default();
        let (milliseconds, in_doubt) = match setting.strip_suffix(IN_DOUBT) {
            Some(milliseconds) => (milliseconds, true),
            None => (setting, false),
        };
        let recorded = milliseconds.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        Self::new(now, recorded).with_in_doubt(in_doubt)
    }

    /// Returns the value of the setting with the recorded time.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn setting(recorded: Timestamp, in_doubt: bool) -> String {
        format!("{}{}", recorded.as_millisecond(), if in_doubt { IN_DOUBT } else { "" })
    }
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
const IN_DOUBT: &str = " in doubt";
/// The name of the setting with the recorded time.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) const RECORDED_TIME: &str = "recorded_time";
