use internal_notifications_models::UserId;
use sqlx::SqlitePool;

use super::SqliteStore;
use super::cleanup::Cleanup;
use super::command::Command;
use super::orphans::{self, Forget, Search};
use super::row;
use crate::rules::cutoffs::Cutoffs;
use crate::rules::groups::Groups;
use crate::sql::failure::Failure;
use crate::sql::inspection::{Candidate, Candidates, GROUP_ROWS, Inspection};
use crate::{StoreError, StoreErrorKind, Sweep, Swept};

/// Executes [`Store::sweep`](crate::Store::sweep).
///
/// Connections that only read inspect the inboxes, in groups of a bounded size, so that the writer
/// is needed only for short transactions. A group that fails is split, down to the inbox that
/// fails; that one is passed over.
pub(super) async fn run(store: &SqliteStore, sweep: Sweep) -> Result<Swept, StoreError> {
    let swept = step(store, sweep).await?;
    Ok(Swept { drifts: store.drifts.take(), ..swept })
}

async fn step(store: &SqliteStore, sweep: Sweep) -> Result<Swept, StoreError> {
    let cutoffs = sweep.cutoffs();
    let Candidates { inboxes, next, unreadable } = candidates(&store.readers, &sweep).await?;
    let mut swept = Swept { next, unreadable, ..Swept::default() };
    let mut groups = Groups::new(inboxes, |inbox| inbox.rows(&cutoffs), GROUP_ROWS);
    while let Some(group) = groups.take() {
        match sweep_group(store, &group, &sweep, &mut swept).await {
            Ok(()) => swept.inboxes += group.len() as u64,
            Err(error) => {
                check_database(store, &error).await?;
                swept.passed_over.extend(groups.split(group).map(|inbox| inbox.passed_over(&error)));
            }
        }
    }
    if swept.next.is_none() {
        search(store, &mut swept).await?;
        forget(store, cutoffs, &mut swept).await?;
    }
    Ok(swept)
}

async fn sweep_group(
    store: &SqliteStore,
    group: &[Candidate],
    sweep: &Sweep,
    swept: &mut Swept,
) -> Result<(), StoreError> {
    let cutoffs = sweep.cutoffs();
    let mut inspections = inspect(&store.readers, group, &cutoffs).await?;
    inspections.retain(|inspection| inspection.needs_cleaning(&cutoffs));
    while !inspections.is_empty() {
        let cleanup = Cleanup { inspections, cutoffs, now: sweep.now };
        let cleaned = store.command(|reply| Command::Cleanup(cleanup, reply)).await?;
        swept.pruned += cleaned.pruned;
        swept.trimmed += cleaned.trimmed;
        store.drifts.add(cleaned.drifts);
        inspections = cleaned.left;
    }
    Ok(())
}

/// Notes orphans that were never noted, such as those of earlier versions.
///
/// A pass searches the next notifications, and goes on as long as it finds some.
///
/// A search that fails is made smaller. One that cannot is passed over.
async fn search(store: &SqliteStore, swept: &mut Swept) -> Result<(), StoreError> {
    let mut limit = Search::LIMIT;
    loop {
        match search_next(store, limit).await {
            Ok(has_more) if has_more => {}
            Ok(_) => return Ok(()),
            Err(error) => {
                check_database(store, &error).await?;
                if limit == 1 {
                    let search = Search::pass_over(&store.readers).await?;
                    store.command(|reply| Command::Searched(search, reply)).await?;
                    swept.unforgotten += 1;
                    return Ok(());
                }
                limit /= 2;
            }
        }
    }
}

/// Searches the next notifications, and returns whether to go on.
async fn search_next(store: &SqliteStore, limit: usize) -> Result<bool, StoreError> {
    let search = Search::run(&store.readers, limit).await?;
    let has_more = search.has_more();
    if search.is_news() {
        store.command(|reply| Command::Searched(search, reply)).await?;
    }
    Ok(has_more)
}

/// Forgets notifications to which nothing has referred for long enough, and old idempotency keys.
async fn forget(store: &SqliteStore, cutoffs: Cutoffs, swept: &mut Swept) -> Result<(), StoreError> {
    let mut skipped = 0;
    loop {
        let due = orphans::due(&store.readers, &cutoffs, skipped).await?;
        if due.is_empty() {
            break;
        }
        let mut groups = Groups::new(due, |_| 1, Forget::ROWS as u64);
        while let Some(group) = groups.take() {
            let forget = Forget { orphans: group.clone(), cutoffs };
            match store.command(|reply| Command::Forget(forget, reply)).await {
                Ok(forgotten) => swept.forgotten += forgotten,
                Err(error) => {
                    check_database(store, &error).await?;
                    skipped += usize::from(groups.split(group).is_some());
                }
            }
        }
    }
    swept.unforgotten += skipped as u64;
    while orphans::has_old_keys(&store.readers, &cutoffs).await? {
        let forget = Forget { orphans: Vec::new(), cutoffs };
        store.command(|reply| Command::Forget(forget, reply)).await?;
    }
    Ok(())
}

/// Checks after an error that the database works, so that the error comes from what was being done.
/// Otherwise returns the error.
async fn check_database(store: &SqliteStore, error: &StoreError) -> Result<(), StoreError> {
    use StoreErrorKind::{DiskFull, ReadOnly};
    let fails = matches!(error.kind(), DiskFull | ReadOnly) || !store.works().await;
    if fails { Err(error.clone()) } else { Ok(()) }
}

/// Returns the next inboxes of a sweep.
async fn candidates(readers: &SqlitePool, sweep: &Sweep) -> Result<Candidates, Failure> {
    let sql = "SELECT user_id, key, pending, seq FROM inboxes
               WHERE user_id > coalesce((SELECT user_id FROM inboxes WHERE key = ?3), ?1) ORDER BY user_id LIMIT ?2";
    let limit = sweep.limit.max(1);
    let (mut candidates, mut unreadable) = (Candidates::default(), None);
    loop {
        let after = sweep.after.as_ref().map_or("", UserId::as_str).to_owned();
        let query = sqlx::query(sql).bind(after).bind(row::limit(limit)).bind(unreadable);
        unreadable = candidates.add(&query.fetch_all(readers).await?, limit)?;
        if unreadable.is_none() {
            return Ok(candidates);
        }
    }
}

/// Inspects inboxes.
async fn inspect(
    readers: &SqlitePool,
    inboxes: &[Candidate],
    cutoffs: &Cutoffs,
) -> Result<Vec<Inspection>, Failure> {
    let sql = "SELECT i.user_id, i.key, i.seq, i.pending, i.floor,
         (SELECT published FROM publications WHERE inbox = i.key) AS published,
         (SELECT count(*) FROM deliveries d INDEXED BY deliveries_pending
          WHERE d.inbox = i.key AND d.opened_at IS NULL AND d.removed_at IS NULL) AS counted,
         o.added AS oldest, o.created_at <= ?1 AS has_old,
         CASE WHEN i.seq > ?2 THEN (SELECT d.added FROM deliveries d WHERE d.inbox = i.key AND d.removed_at IS NULL
                                    ORDER BY d.added DESC LIMIT 1 OFFSET ?2) END AS excess,
         (SELECT c.at FROM changes c WHERE c.inbox = i.key AND c.seq > i.floor ORDER BY c.seq LIMIT 1) <= ?3 AS has_expired,
         i.floor > 0 AND EXISTS (SELECT 1 FROM deliveries d INDEXED BY deliveries_removed
                                 WHERE d.inbox = i.key AND d.removed_at <= ?4 AND d.added <= i.floor) AS has_forgettable
         FROM json_each(?5) CROSS JOIN inboxes i ON i.key = value
         LEFT JOIN deliveries o ON o.inbox = i.key AND o.added = (SELECT d.added FROM deliveries d
             WHERE d.inbox = i.key AND d.removed_at IS NULL ORDER BY d.added LIMIT 1)";
    let keys: Vec<i64> = inboxes.iter().map(|inbox| inbox.inbox).collect();
    let query = sqlx::query(sql).bind(cutoffs.added_at).bind(cutoffs.count);
    let query = query.bind(cutoffs.changed_at).bind(cutoffs.removed_at);
    let rows = query.bind(serde_json::to_string(&keys)?).fetch_all(readers).await?;
    rows.iter().map(Inspection::new).collect()
}
