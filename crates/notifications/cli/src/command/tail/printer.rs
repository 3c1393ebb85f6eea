use internal_notifications_pusher::contract::{Snapshot, Status};
use internal_notifications_pusher::models::{Change, ChangeKind};

use super::{json, text};
use crate::error::Error;
use crate::output::{Output, print_to_stderr};

/// Prints the lines of `tail`, as text or JSON.
pub(super) struct Printer {
    output: Output,
    json: bool,
    limit: usize,
    /// How many more added notifications to print, if limited.
    remaining: Option<u64>,
    status: Option<Status>,
    has_printed_snapshot: bool,
}

impl Printer {
    pub(super) fn new(output: Output, json: bool, limit: usize, count: Option<u64>) -> Self {
        Self { output, json, limit, remaining: count, status: None, has_printed_snapshot: false }
    }

    pub(super) fn snapshot(&mut self, snapshot: &Snapshot, reset: bool) -> Result<(), Error> {
        if self.json {
            if !std::mem::replace(&mut self.has_printed_snapshot, true) {
                self.status = None;
            }
            let line = json::snapshot(snapshot, reset, self.limit).map_err(Error::failed)?;
            return self.output.json(&line);
        }
        self.output.line(&text::head(snapshot, reset))?;
        let newest = snapshot.notifications.iter().take(self.limit);
        newest.rev().try_for_each(|row| self.output.line(&text::row(row)))
    }

    /// Prints a change. Returns whether it was the last one to print.
    pub(super) fn change(&mut self, change: &Change) -> Result<bool, Error> {
        match self.json {
            true => self.output.json(&json::change(change).map_err(Error::failed)?)?,
            false => self.output.line(&text::change(change))?,
        }
        if let (Some(remaining), ChangeKind::Added { .. } | ChangeKind::Gone { .. }) =
            (&mut self.remaining, &change.kind)
        {
            *remaining = remaining.saturating_sub(1);
        }
        Ok(self.remaining == Some(0))
    }

    /// Prints a status unless it was the last one printed.
    ///
    /// With JSON the snapshot is the first line, so a status before it goes to stderr.
    pub(super) fn status(&mut self, status: &Status) -> Result<(), Error> {
        if self.status.as_ref() == Some(status) {
            return Ok(());
        }
        self.status = Some(status.clone());
        match self.json {
            true if self.has_printed_snapshot => return self.output.json(&json::status(status)),
            true => print_to_stderr(&text::status(status)),
            false => return self.output.line(&text::status(status)),
        }
        Ok(())
    }
}
