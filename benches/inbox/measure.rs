use std::time::{Duration, Instant};

/// Returns the median.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The durations of a number of calls, sorted.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Measures a number of calls, one after another.
    pub(crate) async fn of<F: Future>(calls: usize, mut call: impl FnMut(usize) -> F) -> Self {
        let mut times = Vec::with_capacity(calls);
        for index in 0..calls {
            times.push(Self::one(call(index)).await);
        }
        Self::new(times)
    }

    /// Returns how long one call takes.
    pub(crate) async fn one<F: Future>(call: F) -> Duration {
        let started = Instant::now();
        std::hint::black_box(call.await);
        started.elapsed()
    }

    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// Returns the longest in seconds; zero if there is none.
    pub(crate) fn longest(&self) -> f64 {
        self.0.last().map_or(0.0, Duration::as_secs_f64)
    }

    /// Returns a percentile in microseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[index].as_secs_f64() * 1e6
    }
}

/// Returns how many seconds some work takes.
pub(crate) async fn seconds<F: Future>(work: F) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work.await);
    started.elapsed().as_secs_f64()
}
