use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use internal_notifications_server::relay::{
    IntentRow, IntentSource, PendingIntent, SettledIntent, SourceError,
};

use crate::inboxes::{Inboxes, eventually};

/// Intents in memory, which record how many were settled together.
struct Counted {
    waiting: VecDeque<PendingIntent>,
    settled: Arc<Mutex<Vec<usize>>>,
}

#[async_trait]
impl IntentSource for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }

    async fn take(&mut self, limit: usize, _resting: &[i64]) -> Result<Vec<PendingIntent>, SourceError> {
        Ok(self.waiting.iter().take(limit).cloned().collect())
    }

    async fn settle(&mut self, settled: Vec<SettledIntent>) -> Result<(), SourceError> {
        if !settled.is_empty() {
            self.settled.lock().unwrap().push(settled.len());
        }
        self.waiting.retain(|intent| settled.iter().all(|done| done.key != intent.key));
        Ok(())
    }

    async fn changed(&mut self) {
        std::future::pending().await
    }

    async fn close(self: Box<Self>) {}
}

#[tokio::test]
async fn the_pushes_of_several_transactions_are_settled_together_and_stay_in_order() {
    let inboxes = Inboxes::new().await;
    let row = |key: i64| {
        let body = format!(r#"{{"content":"{key}"}}"#);
        PendingIntent::new(key, Ok(IntentRow::new(format!("n-{key}"), "outbox:orders", r#"["ada"]"#, body)))
    };
    let settled = Arc::<Mutex<Vec<usize>>>::default();
    let source = Counted { waiting: (0..1000).map(row).collect(), settled: settled.clone() };
    let _relay = inboxes.relay(vec![Box::new(source)]);
    eventually("all are settled", async || settled.lock().unwrap().iter().sum::<usize>() == 1000).await;
    assert_eq!(*settled.lock().unwrap(), [1000]);
    let newest: Vec<_> = (800..1000).map(|key: u32| key.to_string()).collect();
    assert_eq!(inboxes.contents(1000).await, newest);
}
