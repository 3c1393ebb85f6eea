use std::fmt;

use crate::{Outcome, Violation};

/// How the bullets went, each in its turn. Its `Display` has a line for each that did not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Report {
    held: Vec<u8>,
    skipped: Vec<(u8, &'static str)>,
    violations: Vec<Violation>,
}

impl Report {
    pub(crate) fn note(&mut self, bullet: u8, outcome: Outcome) {
        match outcome {
            Outcome::Held => self.held.push(bullet),
            Outcome::Skipped(reason) => self.skipped.push((bullet, reason)),
            Outcome::Violated(violation) => self.violations.push(violation),
        }
    }

    /// The bullets that hold.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// The bullets that do not apply, and why.
    pub fn skipped(&self) -> &[(u8, &'static str)] {
        &self.skipped
    }

    /// What the service does against the contract.
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
        write!(f, "{} of {} bullets hold", self.held.len(), crate::BULLETS.len())
    }
}
