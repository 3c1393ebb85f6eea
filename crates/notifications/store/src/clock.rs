use internal_notifications_models::Timestamp;

/// A source of the current time, which a simulation or a test can replace.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time in whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Databases and JavaScript keep milliseconds; a time must not change when it is read back.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
