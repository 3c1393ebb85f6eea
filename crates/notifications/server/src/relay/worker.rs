use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::push::PushRules;
use super::resting::Resting;
use super::source::{IntentSource, PendingIntent, SettledIntent, SourceError};
use super::waves::{Part, waves};
use crate::Clock;
use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::store::{Push, Store, StoreError, StoreErrorKind};

/// How many intents one round takes, to be settled together.
const INTENTS: usize = 1024;
/// The most intents that are pushed together.
const TOGETHER: usize = 256;
/// Intents are pushed together up to about this many recipients.
const RECIPIENTS: usize = 5_000;
/// How long a round may push before it settles: meanwhile, a source may lock its rows.
const ROUND: Duration = Duration::from_secs(5);

/// The task of one source.
pub(super) struct Worker {
    source: Box<dyn IntentSource>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    rules: Arc<PushRules>,
    metrics: Arc<Metrics>,
    backoff: Backoff,
    resting: Resting,
}

/// How a round ended.
enum Round {
    /// There may be more intents.
    Full,
    /// There were none that could be taken.
    Empty,
}

/// Why an intent was not pushed.
enum NotPushed {
    /// It can never be pushed.
    Refused(String),
    /// The store failed; later it may succeed.
    Later(StoreError),
}

impl Worker {
    pub(super) fn new(
        source: Box<dyn IntentSource>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        rules: Arc<PushRules>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            source,
            store,
            clock,
            rules,
            metrics,
            backoff: Backoff::default(),
            resting: Resting::default(),
        }
    }

    pub(super) async fn run(mut self, stop: CancellationToken) {
        self.work(stop).await;
        self.source.close().await;
    }

    async fn work(&mut self, stop: CancellationToken) {
        loop {
            let resting = self.resting.keys();
            let taken = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                taken = self.source.take(INTENTS, &resting) => taken,
            };
            let ended = match taken {
                Ok(taken) => {
                    self.resting.taken(&taken);
                    self.round(taken, &stop).await
                }
                Err(error) => Err(error),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.rest(ended) => {}
            }
        }
    }

    async fn round(
        &mut self,
        taken: Vec<PendingIntent>,
        stop: &CancellationToken,
    ) -> Result<Round, SourceError> {
        let (started, mut settled, mut failed) = (Instant::now(), Vec::new(), Ok(()));
        let mut passed_over = Vec::new();
        let (parts, refused) = self.prepare(taken);
        settled.extend(refused);
        for wave in waves(parts, RECIPIENTS) {
            if stop.is_cancelled() || started.elapsed() > ROUND {
                break;
            }
            let pushing = wave.into_iter().map(async |part| {
                let (keys, pushes): (Vec<i64>, Vec<Push>) = part.into_iter().unzip();
                keys.into_iter().zip(self.store.push_all(pushes).await).collect::<Vec<_>>()
            });
            for (key, pushed) in join_all(pushing).await.into_iter().flatten() {
                match pushed.map_err(NotPushed::from) {
                    Ok(_) => settled.push(SettledIntent { key, failed: None }),
                    Err(NotPushed::Refused(reason)) => {
                        settled.push(SettledIntent { key, failed: Some(reason) });
                    }
                    Err(NotPushed::Later(error)) if error.is_outage() => failed = Err(error),
                    Err(NotPushed::Later(error)) => passed_over.push((key, error)),
                }
            }
            // An outage would meet the next intents too, or they would overtake these.
            if failed.is_err() {
                break;
            }
        }
        self.source.settle(settled.clone()).await?;
        for settled in &settled {
            self.resting.settled(settled.key);
            self.count(settled);
        }
        let rest = self.pass_over(&passed_over);
        let round = if settled.is_empty() && !rest { Round::Empty } else { Round::Full };
        failed.map_err(|error| SourceError::new("the store failed").with_source(error))?;
        Ok(round)
    }

    /// Lets intents that could not be stored rest. Returns whether there was room for any.
    fn pass_over(&mut self, failed: &[(i64, StoreError)]) -> bool {
        if let Some((key, error)) = failed.first()
            && self.resting.is_empty()
        {
            let (source, error): (_, &dyn Error) = (self.source.name(), error);
            tracing::error!(source, intent.key = key, error, "an intent cannot be stored; trying again");
        }
        failed.iter().filter(|(key, _)| self.resting.failed(*key)).count() > 0
    }

    /// Returns the intents as parts to be pushed together, in order, and those that are refused.
    fn prepare(&self, taken: Vec<PendingIntent>) -> (Vec<Part>, Vec<SettledIntent>) {
        let (mut parts, mut refused, mut recipients) = (Vec::<Part>::new(), Vec::new(), 0);
        for PendingIntent { key, row } in taken {
            let push = row.map_err(str::to_owned).and_then(|row| self.rules.push(row, self.clock.stamp()));
            match push {
                Ok(push) => {
                    let push = push.with_now(self.clock.now());
                    recipients += push.user_ids.len();
                    match parts.last_mut() {
                        Some(part) if part.len() < TOGETHER && recipients <= RECIPIENTS => {
                            part.push((key, push))
                        }
                        _ => {
                            recipients = push.user_ids.len();
                            parts.push(vec![(key, push)]);
                        }
                    }
                }
                Err(reason) => refused.push(SettledIntent { key, failed: Some(reason) }),
            }
        }
        (parts, refused)
    }

    fn count(&self, settled: &SettledIntent) {
        let Some(reason) = &settled.failed else {
            self.metrics.settled("relayed");
            return;
        };
        self.metrics.settled("failed");
        let (source, key) = (self.source.name(), settled.key);
        tracing::error!(
            source,
            intent.key = key,
            reason,
            "an intent was refused and marked failed in its table"
        );
    }

    /// Waits until the next round is due.
    async fn rest(&mut self, ended: Result<Round, SourceError>) {
        let error = match ended {
            Ok(round) => {
                if !self.backoff.is_fresh() {
                    tracing::info!(source = self.source.name(), "intents are relayed again");
                }
                self.backoff.reset();
                return match round {
                    Round::Full => {}
                    Round::Empty => {
                        let due = self.resting.next_due();
                        let attempt = async {
                            match due {
                                Some(due) => tokio::time::sleep_until(due).await,
                                None => std::future::pending().await,
                            }
                        };
                        tokio::select! {
                            () = self.source.changed() => {}
                            () = attempt => {}
                        }
                    }
                };
            }
            Err(error) => error,
        };
        let first = self.backoff.is_fresh();
        let delay = self.backoff.next();
        log_failure(self.source.name(), &error, first, delay);
        tokio::time::sleep(delay).await;
    }
}

fn log_failure(source: &str, error: &SourceError, is_first: bool, delay: Duration) {
    let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let error: &dyn Error = error;
    if is_first {
        tracing::warn!(source, error, delay_ms, "intents cannot be relayed; trying again");
    } else {
        tracing::debug!(source, error, delay_ms, "intents still cannot be relayed");
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
    fn an_intent_is_never_marked_failed_because_of_an_outage() {
        use StoreErrorKind::{DiskFull, Expired, IdTaken, ReadOnly, Unavailable, Unusable};
        for kind in [Unavailable, DiskFull, ReadOnly, Unusable] {
            assert!(matches!(StoreError::new(kind).into(), NotPushed::Later(_)), "{kind:?}");
        }
        for kind in [IdTaken, Expired] {
            assert!(matches!(StoreError::new(kind).into(), NotPushed::Refused(_)), "{kind:?}");
        }
    }
}
