use std::sync::Arc;

use internal_notifications_models::UserId;
use sqlx::PgConnection;

use super::cleanup::Cleanup;
use super::database::{Database, Query};
use super::orphans::{self, ForgetKeys};
use super::sweep_turn::Turn;
use crate::rules::cutoffs::Cutoffs;
use crate::rules::groups::Groups;
use crate::sql::drifts::Drifts;
use crate::sql::failure::Failure;
use crate::sql::inspection::{Candidate, Candidates, GROUP_ROWS, Inspection};
use crate::sql::row;
use crate::{StoreError, Sweep, Swept};

/// Executes [`Store::sweep`](crate::Store::sweep).
///
/// Inboxes are inspected in groups whose size bounds each statement. A group that fails, such as by
/// a time-out, is split, down to the inbox that fails; that one is passed over.
pub(super) async fn run(
    database: &Arc<Database>,
    owner: i64,
    drifts: &Drifts,
    sweep: Sweep,
) -> Result<Swept, StoreError> {
    let swept = match Turn::take(database, owner).await? {
        Some(turn) => step(turn, drifts, &sweep).await?,
        None => Swept::default(),
    };
    Ok(Swept { drifts: drifts.take(), ..swept })
}

async fn step(mut turn: Turn<'_>, drifts: &Drifts, sweep: &Sweep) -> Result<Swept, StoreError> {
    let cutoffs = sweep.cutoffs();
    let Candidates { inboxes, next, unreadable } = turn.database.read(ReadCandidates(sweep)).await?;
    let mut swept = Swept { next, unreadable, ..Swept::default() };
    let mut groups = Groups::new(inboxes, |inbox| inbox.rows(&cutoffs), GROUP_ROWS);
    while let Some(group) = groups.take() {
        // Groups that need no cleaning take their time too.
        turn.keep().await?;
        match sweep_group(&mut turn, &group, sweep, drifts, &mut swept).await {
            Ok(()) => swept.inboxes += group.len() as u64,
            Err(error) => {
                turn.check_database(&error).await?;
                swept.passed_over.extend(groups.split(group).map(|inbox| inbox.passed_over(&error)));
            }
        }
    }
    if swept.next.is_none() {
        orphans::search(&mut turn, &mut swept).await?;
        orphans::forget(&mut turn, &cutoffs, &mut swept).await?;
        while turn.database.write(ForgetKeys(cutoffs)).await? {
            turn.keep().await?;
        }
    }
    Ok(swept)
}

async fn sweep_group(
    turn: &mut Turn<'_>,
    group: &[Candidate],
    sweep: &Sweep,
    drifts: &Drifts,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    let cutoffs = sweep.cutoffs();
    let keys = group.iter().map(|inbox| inbox.inbox).collect();
    let mut inspections = turn.database.read(Inspect { keys, cutoffs }).await?;
    inspections.retain(|inspection| inspection.needs_cleaning(&cutoffs));
    while !inspections.is_empty() {
        let cleaned = turn.database.write(Cleanup { inspections, cutoffs, now: sweep.now }).await?;
        swept.pruned += cleaned.pruned;
        swept.trimmed += cleaned.trimmed;
        drifts.add(cleaned.drifts);
        inspections = cleaned.left;
        turn.keep().await?;
    }
    Ok(())
}

/// Returns the next inboxes of a sweep.
struct ReadCandidates<'s>(&'s Sweep);

impl Query for ReadCandidates<'_> {
    type Answer = Candidates;

    async fn read(&self, connection: &mut PgConnection) -> Result<Candidates, Failure> {
        let sql = "SELECT user_id, key, pending, seq FROM inboxes
                   WHERE user_id > coalesce((SELECT user_id FROM inboxes WHERE key = $3), $1) ORDER BY user_id LIMIT $2";
        let after = self.0.after.as_ref().map_or("", UserId::as_str);
        let limit = self.0.limit.max(1);
        let (mut candidates, mut unreadable) = (Candidates::default(), None);
        loop {
            let query = sqlx::query(sql).bind(after).bind(row::limit(limit)).bind(unreadable);
            unreadable = candidates.add(&query.fetch_all(&mut *connection).await?, limit)?;
            if unreadable.is_none() {
                candidates.inboxes.retain(|inbox| inbox.seq > 0);
                return Ok(candidates);
            }
        }
    }
}

/// Inspects inboxes.
struct Inspect {
    keys: Vec<i64>,
    cutoffs: Cutoffs,
}

impl Query for Inspect {
    type Answer = Vec<Inspection>;

    async fn read(&self, connection: &mut PgConnection) -> Result<Vec<Inspection>, Failure> {
        // `added + 0` keeps the planner from reading all notifications in the order of `added`.
        let sql = "SELECT i.user_id, i.key, i.seq, i.pending, i.floor,
             (SELECT published FROM publications WHERE inbox = i.key) AS published,
             (SELECT count(*) FROM deliveries d WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
             (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) AS oldest,
             (SELECT d.created_at FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1) <= $1 AS has_old,
             CASE WHEN i.seq > $2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                        ORDER BY d.added DESC LIMIT 1 OFFSET $2) END AS excess,
             (SELECT c.at FROM changes c WHERE c.inbox = i.key AND c.seq > i.floor ORDER BY c.seq LIMIT 1) <= $3 AS has_expired,
             i.floor > 0 AND EXISTS (SELECT 1 FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NOT NULL
                                     AND d.removed_at <= $4 AND d.added + 0 <= i.floor) AS has_forgettable
             FROM inboxes i WHERE i.key = ANY($5)";
        let query = sqlx::query(sql).bind(self.cutoffs.added_at).bind(self.cutoffs.count);
        let query = query.bind(self.cutoffs.changed_at).bind(self.cutoffs.removed_at).bind(&self.keys);
        query.fetch_all(connection).await?.iter().map(Inspection::new).collect()
    }
}
