use internal_notifications_models::Timestamp;

/// The time. A part of its own so that a simulation can have its own.
pub trait Clock: Send + Sync + 'static {
    /// Now, in whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // Milliseconds are kept in databases and read by JavaScript; what is answered must be what is read later.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
