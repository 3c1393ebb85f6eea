//! The table of intents of an app's own database, and the app's commits to it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_server::relay::{IntentRow, IntentSource, Settled, SourceError, Taken};
use serde_json::json;

use crate::backend::{BACKEND, notification};
use crate::bug::Bug;
use crate::clock::now;
use crate::plan::PlannedPush;
use crate::world::World;

/// What waits to be relayed, as the relay is given it.
pub(crate) struct Intents {
    pub(crate) world: Arc<World>,
    /// Planted: what was settled last, to be given once more as if it were another.
    pub(crate) again: Option<Taken>,
}

/// A committed intent.
#[derive(Clone)]
pub(crate) struct Intent {
    pub(crate) planned: PlannedPush,
    row: IntentRow,
    /// When the relay took it last.
    taken: Duration,
    done: bool,
}

#[async_trait]
impl IntentSource for Intents {
    fn name(&self) -> &str {
        "the app's database"
    }

    async fn take(&mut self, limit: usize) -> Result<Vec<Taken>, SourceError> {
        let mut seen = self.world.seen();
        let waiting = seen.intents.iter_mut().enumerate().filter(|(_, intent)| !intent.done);
        let mut taken = Vec::new();
        for (key, intent) in waiting.take(limit) {
            intent.taken = now();
            taken.push(Taken { key: key as i64, row: Ok(intent.row.clone()) });
        }
        taken.extend(self.again.take());
        Ok(taken)
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), SourceError> {
        let mut seen = self.world.seen();
        for Settled { key, failed } in settled {
            let Some(intent) = seen.intents.get_mut(key as usize).filter(|intent| !intent.done) else {
                continue;
            };
            intent.done = true;
            let (planned, taken) = (intent.planned.clone(), intent.taken);
            if self.world.bug == Some(Bug::IntentTwice) {
                let row = IntentRow { id: format!("{}-again", planned.id), ..intent.row.clone() };
                self.again = Some(Taken { key, row: Ok(row) });
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
    /// The app commits a transaction with an intent in it.
    pub(crate) fn write_intent(&self, planned: &PlannedPush, at: Duration) {
        let mut body = notification(planned, at);
        body["id"] = json!(planned.id);
        let row = IntentRow {
            id: planned.id.clone(),
            sender: "outbox:app".to_owned(),
            user_ids: json!(planned.users).to_string(),
            body: body.to_string(),
        };
        self.note(BACKEND, format_args!("committed an intent of {}", planned.id));
        self.seen().intents.push(Intent { planned: planned.clone(), row, taken: at, done: false });
    }

    /// Intents that were committed and never relayed.
    pub(crate) fn intents_left(&self) -> Vec<String> {
        let left = |intent: &&Intent| !intent.done;
        self.seen()
            .intents
            .iter()
            .filter(left)
            .map(|intent| format!("{} was never relayed", intent.planned.id))
            .collect()
    }
}
