use crate::findings::Findings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a run did and found.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) database: &'static str,
    pub(crate) nodes: u16,
    pub(crate) users: usize,
    pub(crate) replicas: usize,
    /// By kind.
    pub(crate) faults: BTreeMap<&'static str, u32>,
    pub(crate) pushes: Pushes,
    /// Writes of users that were answered: opened, unopened, all opened, removed.
    pub(crate) writes: usize,
    /// In the logs of all inboxes, in the end.
    pub(crate) changes: u64,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) wrong: usize,
    pub(crate) announced_twice: usize,
    pub(crate) longest_recovery: Recovery,
    /// A sentence for each thing that must not be.
    pub(crate) findings: Findings,
    /// Where logs and database are, when something was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<PathBuf>,
}

#[derive(Serialize)]
pub(crate) struct Pushes {
    pub(crate) acknowledged: usize,
    /// Acknowledged after more than one attempt.
    pub(crate) retried: usize,
    /// One for each recipient.
    pub(crate) notifications: usize,
    /// Acknowledged between a copy of the database and its restore, so that they may be gone rightly.
    pub(crate) taken_back: usize,
    /// In the inboxes in the end.
    pub(crate) kept: usize,
}

#[derive(Serialize)]
pub(crate) struct Recovery {
    pub(crate) milliseconds: u128,
    pub(crate) of: usize,
    pub(crate) measured: &'static str,
}

/// How a recovery is measured.
pub(crate) const MEASURED: &str = "from the end of the last of some overlapping faults (programs ready, connections let through) until \
    every replica shows a push to everyone that is sent at that moment; the push included";

impl Report {
    pub(crate) fn is_flawless(&self) -> bool {
        self.findings.are_none()
    }

    pub(crate) fn in_words(&self) -> String {
        let faults: u32 = self.faults.values().sum();
        let what = format!(
            "chaos on {}, {} node(s), seed {}: {faults} faults in {} s, {} pushes acknowledged",
            self.database, self.nodes, self.seed, self.seconds, self.pushes.acknowledged
        );
        if self.is_flawless() {
            let recovery = self.longest_recovery.milliseconds;
            return format!("{what}: nothing lost, nothing twice; longest recovery {recovery} ms");
        }
        let found = self.findings.all().map(|(kind, found)| format!("{kind} {}", found.len())).join(", ");
        let evidence =
            self.evidence.as_ref().map_or(String::new(), |place| format!("; logs: {}", place.display()));
        format!("{what}: FAILED: {found}{evidence}")
    }
}
