//! The outbox table in an app's own database, and the app's commits to it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_server::relay::{
    IntentRow, IntentSource, PendingIntent, SettledIntent, SourceError,
};
use serde_json::json;

use crate::backend::{BACKEND, notification};
use crate::bug::Bug;
use crate::clock::now;
use crate::plan::PlannedPush;
use crate::world::World;

/// The app's outbox, as the relay reads it.
pub(crate) struct Intents {
    pub(crate) world: Arc<World>,
    /// For [`Bug::IntentTwice`]: the last settled intent, to return once more as if it were another
    /// one.
    pub(crate) again: Option<PendingIntent>,
}

/// A committed intent.
#[derive(Clone)]
pub(crate) struct Intent {
    pub(crate) planned: PlannedPush,
    row: IntentRow,
    /// When the relay last took it.
    taken: Duration,
    done: bool,
}

#[async_trait]
impl IntentSource for Intents {
    fn name(&self) -> &str {
        "the app's database"
    }

    async fn take(&mut self, limit: usize, resting: &[i64]) -> Result<Vec<PendingIntent>, SourceError> {
        let mut seen = self.world.seen();
        let is_waiting = |key: usize, intent: &Intent| !intent.done && !resting.contains(&(key as i64));
        let waiting = seen.intents.iter_mut().enumerate().filter(|(key, intent)| is_waiting(*key, intent));
        let mut taken = Vec::new();
        for (key, intent) in waiting.take(limit) {
            intent.taken = now();
            taken.push(PendingIntent::new(key as i64, Ok(intent.row.clone())));
        }
        taken.extend(self.again.take());
        Ok(taken)
    }

    async fn settle(&mut self, settled: Vec<SettledIntent>) -> Result<(), SourceError> {
        let mut seen = self.world.seen();
        for SettledIntent { key, failed, .. } in settled {
            let Some(intent) = seen.intents.get_mut(key as usize).filter(|intent| !intent.done) else {
                continue;
            };
            intent.done = true;
            let (planned, taken) = (intent.planned.clone(), intent.taken);
            if self.world.bug == Some(Bug::IntentTwice) {
                let mut row = intent.row.clone();
                row.id = format!("{}-again", planned.id);
                self.again = Some(PendingIntent::new(key, Ok(row)));
            }
            self.world.note(BACKEND, format_args!("relayed {}: {failed:?}", planned.id));
            if failed.is_none() {
                seen.acknowledge(&planned, taken, now());
            }
        }
        Ok(())
    }

    async fn changed(&mut self) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    async fn close(self: Box<Self>) {}
}

impl World {
    /// Commits a transaction of the app with an intent in it.
    pub(crate) fn write_intent(&self, planned: &PlannedPush, at: Duration) {
        let mut body = notification(planned, at);
        body["id"] = json!(planned.id);
        let user_ids = json!(planned.users).to_string();
        let row = IntentRow::new(planned.id.clone(), "outbox:app", user_ids, body.to_string());
        self.note(BACKEND, format_args!("committed an intent of {}", planned.id));
        self.seen().intents.push(Intent { planned: planned.clone(), row, taken: at, done: false });
    }

    /// Describes the committed intents that were never relayed.
    pub(crate) fn unrelayed_intents(&self) -> Vec<String> {
        let is_pending = |intent: &&Intent| !intent.done;
        self.seen()
            .intents
            .iter()
            .filter(is_pending)
            .map(|intent| format!("{} was never relayed", intent.planned.id))
            .collect()
    }
}
