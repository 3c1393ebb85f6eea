use std::fmt::Display;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The log of a run, in order. The same seed must give the same trace.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<Vec<String>>);

impl Trace {
    /// Adds a line, with the time on the simulated clock.
    pub(crate) fn note(&self, at: Duration, who: &str, what: impl Display) {
        let line = format!("{:>9.3} {who:<8} {what}", at.as_secs_f64());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hashes lines. The hash is the same in every process.
pub(crate) fn hash(lines: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for line in lines {
        hasher.write(line.as_bytes());
        hasher.write_u8(0xff);
    }
    hasher.finish()
}
