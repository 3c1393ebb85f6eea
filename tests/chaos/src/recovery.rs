use crate::failure::Failure;
use crate::findings::Findings;
use crate::replica::Replica;
use crate::writer::Writer;
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// How long clients may take to come back after faults have ended.
pub(crate) const BOUND: Duration = Duration::from_secs(60);

/// Pushes to everyone now that faults have ended, and waits until every replica shows it: how long all that took.
pub(crate) async fn recover(
    writer: &mut Writer,
    id: String,
    replicas: &[Replica],
    findings: &mut Findings,
) -> Result<Duration, Failure> {
    let healed = Instant::now();
    let users = (0..writer.users.len()).collect();
    if tokio::time::timeout(BOUND, writer.push(id.clone(), users, "after the faults")).await.is_err() {
        return Err(format!("no push is acknowledged within {BOUND:?} after all faults have ended").into());
    }
    let late = |replica: &Replica| {
        let now = replica.snapshot();
        format!("{}: does not show {id} within {BOUND:?}: {:?}, {:?}", replica.name, now.status, now.position)
    };
    let shown = replicas.iter().map(async |replica| {
        let shown = tokio::time::timeout(BOUND, replica.shows(&id)).await;
        shown.is_err().then(|| late(replica))
    });
    findings.other.extend(join_all(shown).await.into_iter().flatten());
    Ok(healed.elapsed())
}
