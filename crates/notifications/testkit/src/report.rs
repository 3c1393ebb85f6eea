use std::fmt;

use crate::{Outcome, Violation};

/// The outcome of every bullet. `Display` prints a line for each one that did not pass, and a
/// summary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Report {
    passed: Vec<u8>,
    skipped: Vec<(u8, &'static str)>,
    violations: Vec<Violation>,
}

impl Report {
    pub(crate) fn add(&mut self, bullet: u8, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed.push(bullet),
            Outcome::Skipped(reason) => self.skipped.push((bullet, reason)),
            Outcome::Violated(violation) => self.violations.push(violation),
        }
    }

    /// Returns the bullets that passed.
    pub fn passed(&self) -> &[u8] {
        &self.passed
    }

    /// Returns the bullets that were skipped, each with the reason.
    pub fn skipped(&self) -> &[(u8, &'static str)] {
        &self.skipped
    }

    /// Returns the violations of the contract, at most one for each bullet.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        for (bullet, reason) in &self.skipped {
            writeln!(f, "contract {bullet}: skipped: {reason}")?;
        }
        write!(f, "{} of {} bullets passed", self.passed.len(), crate::BULLETS.len())
    }
}
