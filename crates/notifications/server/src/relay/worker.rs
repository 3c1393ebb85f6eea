use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::push::Rules;
use super::source::{IntentSource, Settled, SourceError, Taken};
use crate::Clock;
use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::stop::Stopped;
use crate::store::{Store, StoreError, StoreErrorKind};

/// Intents of one round.
const INTENTS: usize = 32;
/// After this long a round settles what it has: a source may hold its rows locked meanwhile.
const ROUND: Duration = Duration::from_secs(5);

/// The task of one source.
pub(super) struct Worker {
    source: Box<dyn IntentSource>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
    metrics: Arc<Metrics>,
    backoff: Backoff,
}

/// How a round ended.
enum Round {
    /// There may be more.
    Full,
    /// Nothing waited.
    Empty,
}

/// Why an intent was not pushed.
enum NotPushed {
    /// It never will be.
    Refused(String),
    /// The store cannot do it now.
    Later(StoreError),
}

impl Worker {
    pub(super) fn new(
        source: Box<dyn IntentSource>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rules: Arc<Rules>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { source, store, clock, rules, metrics, backoff: Backoff::default() }
    }

    pub(super) async fn run(mut self, stopped: Stopped) {
        self.work(stopped).await;
        self.source.close().await;
    }

    async fn work(&mut self, mut stopped: Stopped) {
        loop {
            let taken = tokio::select! {
                biased;
                () = stopped.wait() => return,
                taken = self.source.take(INTENTS) => taken,
            };
            let ended = match taken {
                Ok(taken) => self.round(taken, &stopped).await,
                Err(error) => Err(error),
            };
            tokio::select! {
                biased;
                () = stopped.wait() => return,
                () = self.rest(ended) => {}
            }
        }
    }

    async fn round(&mut self, taken: Vec<Taken>, stopped: &Stopped) -> Result<Round, SourceError> {
        let round = if taken.is_empty() { Round::Empty } else { Round::Full };
        let (began, mut settled, mut failed) = (Instant::now(), Vec::new(), None);
        for Taken { key, row } in taken {
            if stopped.has_come() || began.elapsed() > ROUND {
                break;
            }
            let row = row.map_err(|problem| NotPushed::Refused(problem.to_owned()));
            let pushed = match row {
                Ok(row) => self.push(row).await,
                Err(refused) => Err(refused),
            };
            match pushed {
                Ok(()) => settled.push(Settled { key, failed: None }),
                Err(NotPushed::Refused(reason)) => settled.push(Settled { key, failed: Some(reason) }),
                Err(NotPushed::Later(error)) => {
                    let passes = error.is_retryable();
                    failed = Some(SourceError::new(error.to_string()));
                    // What the next ones would meet too, or a damage of these inboxes alone.
                    if passes {
                        break;
                    }
                }
            }
        }
        self.source.settle(settled.clone()).await?;
        settled.iter().for_each(|settled| self.count(settled));
        failed.map_or(Ok(round), Err)
    }

    async fn push(&self, row: super::IntentRow) -> Result<(), NotPushed> {
        let push = self.rules.push(row, self.clock.now()).map_err(NotPushed::Refused)?;
        self.store.push(push).await.map(drop).map_err(NotPushed::from)
    }

    fn count(&self, settled: &Settled) {
        let Some(reason) = &settled.failed else {
            self.metrics.settled("relayed");
            return;
        };
        self.metrics.settled("failed");
        let (source, key) = (self.source.name(), settled.key);
        tracing::error!(source, intent.key = key, reason, "an intent was refused; its row is marked failed");
    }

    /// Waits for the next round.
    async fn rest(&mut self, ended: Result<Round, SourceError>) {
        let error = match ended {
            Ok(round) => {
                if !self.backoff.is_fresh() {
                    tracing::info!(source = self.source.name(), "intents are taken again");
                }
                self.backoff.reset();
                return match round {
                    Round::Full => {}
                    Round::Empty => self.source.changed().await,
                };
            }
            Err(error) => error,
        };
        let (first, source) = (self.backoff.is_fresh(), self.source.name());
        let delay = self.backoff.next();
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        if first {
            tracing::warn!(source, %error, delay_ms, "cannot relay intents now; trying again");
        } else {
            tracing::debug!(source, %error, delay_ms, "still cannot relay intents");
        }
        tokio::time::sleep(delay).await;
    }
}

impl From<StoreError> for NotPushed {
    fn from(error: StoreError) -> Self {
        match error.is_retryable() || error.kind() == StoreErrorKind::Unusable {
            true => Self::Later(error),
            false => Self::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_store_cannot_do_now_is_never_marked_failed() {
        use StoreErrorKind::{DiskFull, Expired, IdTaken, ReadOnly, Unavailable, Unusable};
        for kind in [Unavailable, DiskFull, ReadOnly, Unusable] {
            assert!(matches!(StoreError::new(kind).into(), NotPushed::Later(_)), "{kind:?}");
        }
        for kind in [IdTaken, Expired] {
            assert!(matches!(StoreError::new(kind).into(), NotPushed::Refused(_)), "{kind:?}");
        }
    }
}
