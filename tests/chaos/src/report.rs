use crate::checks::findings::Findings;
use crate::checks::latency::Latencies;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The report of a run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) database: &'static str,
    pub(crate) nodes: u16,
    pub(crate) users: usize,
    pub(crate) replicas: usize,
    /// The number of faults of each kind.
    pub(crate) faults: BTreeMap<&'static str, u32>,
    pub(crate) pushes: Pushes,
    /// Answered writes of users: opened, unopened, all opened, removed.
    pub(crate) writes: usize,
    /// Changes in the logs of all inboxes at the end.
    pub(crate) changes: u64,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) wrong: usize,
    pub(crate) announced_twice: usize,
    pub(crate) late: usize,
    /// Of live and of scheduled deliveries, outside times that excuse delays.
    pub(crate) latency: Latency,
    /// Faults that this machine cannot make, and why.
    pub(crate) left_out: Vec<&'static str>,
    pub(crate) longest_recovery: Recovery,
    /// The findings, each described in a sentence.
    pub(crate) findings: Findings,
    /// The folder with logs and database, if something was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<PathBuf>,
}

#[derive(Serialize)]
pub(crate) struct Pushes {
    pub(crate) acknowledged: usize,
    /// Acknowledged after more than one attempt.
    pub(crate) retried: usize,
    /// Notifications in inboxes, one for each recipient of a push.
    pub(crate) notifications: usize,
    /// Acknowledged between a backup and its restore, so that they may be missing.
    pub(crate) taken_back: usize,
    /// Notifications in the inboxes at the end.
    pub(crate) kept: usize,
}

#[derive(Serialize)]
pub(crate) struct Latency {
    pub(crate) live: Latencies,
    pub(crate) scheduled: Latencies,
}

#[derive(Serialize)]
pub(crate) struct Recovery {
    pub(crate) milliseconds: u128,
    pub(crate) of: usize,
    pub(crate) measured: &'static str,
}

/// Describes how a recovery is measured.
pub(crate) const MEASURED: &str = "from the end of the last of some overlapping faults (processes ready, connections open) until every \
    replica shows a push to everyone that is sent at that moment, including the push itself";

/// How many findings of a kind are printed.
const DETAILS: usize = 5;

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Describes the first findings of each kind.
    pub(crate) fn details(&self) -> impl Iterator<Item = String> {
        self.findings.all().into_iter().flat_map(|(kind, found)| {
            found.iter().take(DETAILS).map(move |finding| format!("{kind}: {finding}"))
        })
    }

    /// Summarizes the run in one line.
    pub(crate) fn summary(&self) -> String {
        let faults: u32 = self.faults.values().sum();
        let run = format!(
            "chaos on {}, {} node(s), seed {}: {faults} faults in {} s, {} pushes acknowledged",
            self.database, self.nodes, self.seed, self.seconds, self.pushes.acknowledged
        );
        if self.is_clean() {
            let recovery = self.longest_recovery.milliseconds;
            let Latency { live, scheduled } = &self.latency;
            return format!(
                "{run}: nothing lost, nothing twice; longest recovery {recovery} ms; p99 of {} live deliveries {} ms, of {} scheduled {} ms",
                live.deliveries, live.p99_ms, scheduled.deliveries, scheduled.p99_ms
            );
        }
        let found = self.findings.all().map(|(kind, found)| format!("{kind} {}", found.len())).join(", ");
        let evidence =
            self.evidence.as_ref().map_or(String::new(), |place| format!("; logs: {}", place.display()));
        format!("{run}: FAILED: {found}{evidence}")
    }
}
