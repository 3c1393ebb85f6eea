use crate::checks::findings::Findings;
use crate::failure::Failure;
use crate::load::writer::Writer;
use crate::replica::Replica;
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// How long clients may take to recover after faults have ended.
pub(crate) const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

/// Pushes to everyone after faults have ended, waits until every replica shows the push, and
/// returns how long that took.
pub(crate) async fn recover(
    writer: &mut Writer,
    id: String,
    replicas: &[Replica],
    findings: &mut Findings,
) -> Result<Duration, Failure> {
    let healed = Instant::now();
    let users = (0..writer.users.len()).collect();
    if tokio::time::timeout(RECOVERY_LIMIT, writer.push(id.clone(), users, "after the faults")).await.is_err()
    {
        return Err(format!(
            "no push was acknowledged within {RECOVERY_LIMIT:?} after all faults have ended"
        )
        .into());
    }
    let late = |replica: &Replica| {
        let now = replica.snapshot();
        format!(
            "{}: did not show {id} within {RECOVERY_LIMIT:?}: {:?}, {:?}",
            replica.name, now.status, now.position
        )
    };
    let missing = replicas.iter().map(async |replica| {
        let shown = tokio::time::timeout(RECOVERY_LIMIT, replica.wait_for(&id)).await;
        shown.is_err().then(|| late(replica))
    });
    findings.other.extend(join_all(missing).await.into_iter().flatten());
    Ok(healed.elapsed())
}
