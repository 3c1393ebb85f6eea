//! Faults in the replica that its tests must find.

use std::cell::Cell;

use internal_notifications_models::ChangeKind;

use crate::InboxCommand;

/// A fault in the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A live change is applied over a gap.
    GapAccepted,
    /// The change with the next seq is applied, whatever its `prev`.
    TagNotCompared,
    /// An event is a repeat if its seq is known, whatever its tag.
    PassedBySeq,
    /// Every event at or below the last seq is ignored.
    OldIgnored,
    /// The client counts for itself.
    CountAdded,
    /// An older page is merged without the changes since it was read.
    PageNotReplayed,
    /// An older page is merged although the low end of the window has moved.
    LowNotCompared,
    /// A reset keeps the older pages.
    OlderKept,
    /// After a reset to another history, everything is announced again.
    AnnouncedTwice,
    /// A write leaves the overlay at its seq, whatever the tag.
    OverlayBySeq,
    /// Marking all opened does not carry the tag that the user saw.
    OpenedAllUntagged,
    /// The app announces before it has kept what it announces.
    AnnouncedBeforeKept,
    /// The app says that a write is queued before it has kept it.
    QueuedBeforeKept,
    /// The app sends a request before it has kept which writes it contains.
    SentBeforeKept,
}

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

impl Fault {
    /// Plants this fault, and no other, in every replica of this thread.
    pub(super) fn plant(self) {
        PLANTED.set(Some(self));
    }

    pub(super) fn is_planted(self) -> bool {
        PLANTED.get() == Some(self)
    }
}

/// Returns the count of a client that counts for itself.
pub(super) fn counted(pending: u64, kind: &ChangeKind) -> u64 {
    match kind {
        ChangeKind::Added { .. } | ChangeKind::Gone { .. } => pending + 1,
        ChangeKind::Unopened { ids } => pending + ids.len() as u64,
        ChangeKind::Opened { ids } | ChangeKind::Removed { ids, .. } => {
            pending.saturating_sub(ids.len() as u64)
        }
        _ => 0,
    }
}

pub(super) fn without_tag(command: InboxCommand) -> InboxCommand {
    match command {
        InboxCommand::OpenedAll { through, .. } => InboxCommand::OpenedAll { through, tag: None },
        command => command,
    }
}

/// Defines a test for each fault: it plants the fault and evaluates the expression.
macro_rules! each_is_found {
    ($holds:expr) => {
        each_is_found! { $holds;
            a_gap_that_is_accepted_is_found: GapAccepted,
            a_tag_that_is_not_compared_is_found: TagNotCompared,
            a_repeat_that_is_known_by_its_seq_is_found: PassedBySeq,
            an_old_event_that_is_always_ignored_is_found: OldIgnored,
            a_count_that_the_client_adds_up_is_found: CountAdded,
            a_page_that_is_merged_without_newer_changes_is_found: PageNotReplayed,
            a_page_that_is_merged_though_low_has_moved_is_found: LowNotCompared,
            older_pages_that_survive_a_reset_are_found: OlderKept,
            an_announcement_made_twice_is_found: AnnouncedTwice,
            an_overlay_that_is_confirmed_by_seq_is_found: OverlayBySeq,
            marking_all_opened_without_a_tag_is_found: OpenedAllUntagged,
        }
    };
    ($holds:expr; $($claim:ident: $fault:ident,)*) => {
        mod planted_faults {
            use super::*;

            $(
                #[test]
                fn $claim() {
                    $crate::inbox::fault::Fault::$fault.plant();
                    $holds;
                }
            )*
        }
    };
}
