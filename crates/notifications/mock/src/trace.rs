use std::collections::VecDeque;
use std::fmt;

use internal_notifications_models::Timestamp;

/// How many of the newest lines and push records are kept.
pub(crate) const MAX_ENTRIES: usize = 10_000;

/// A log of readable lines. They contain ids and counts, but no contents.
#[derive(Default)]
pub(crate) struct Trace(VecDeque<String>);

impl Trace {
    pub(crate) fn note(&mut self, at: Timestamp, who: &str, what: fmt::Arguments<'_>) {
        if self.0.len() == MAX_ENTRIES {
            self.0.pop_front();
        }
        self.0.push_back(format!("{at} {who} {what}"));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_lines_are_kept() {
        let mut trace = Trace::default();
        (0..MAX_ENTRIES + 3).for_each(|n| trace.note(Timestamp::UNIX_EPOCH, "hub", format_args!("{n}")));
        assert_eq!(trace.lines().len(), MAX_ENTRIES);
        assert_eq!(trace.lines()[0], "1970-01-01T00:00:00Z hub 3");
    }
}
