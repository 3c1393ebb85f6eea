//! Faults in the replica, which its model test must find.

use std::cell::Cell;

use internal_notifications_models::ChangeKind;

use crate::InboxCommand;

/// One way to get the replica wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A live change is applied over a gap.
    GapAccepted,
    /// The next seq is the next change, whatever it follows.
    TagNotCompared,
    /// What has a seq that was passed counts as passed.
    PassedBySeq,
    /// An event at or below the last seq is ignored.
    OldIgnored,
    /// The client counts by itself.
    CountAdded,
    /// An older page is merged as it was read.
    PageNotReplayed,
    /// An older page is merged although the window has changed below.
    LowNotCompared,
    /// A reset leaves the older pages.
    OlderKept,
    /// Another history is announced as if nothing of it were known.
    AnnouncedTwice,
    /// A write leaves the overlay at its seq, with whatever tag.
    OverlayBySeq,
    /// Marking all opened does not say which history the user saw.
    OpenedAllUntagged,
}

thread_local! {
    static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

impl Fault {
    /// Plants it in every replica of this thread, and takes out any other.
    pub(super) fn plant(self) {
        PLANTED.set(Some(self));
    }

    pub(super) fn is_planted(self) -> bool {
        PLANTED.get() == Some(self)
    }
}

/// The count of a client that counts by itself.
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

/// A test for each fault: it is planted, and then this must hold.
macro_rules! each_is_found {
    ($holds:expr) => {
        each_is_found! { $holds;
            a_gap_that_is_accepted_is_found: GapAccepted,
            a_tag_that_is_not_compared_is_found: TagNotCompared,
            a_position_that_is_passed_by_its_seq_is_found: PassedBySeq,
            an_old_event_that_is_always_ignored_is_found: OldIgnored,
            a_count_that_the_client_adds_up_is_found: CountAdded,
            a_page_that_is_merged_as_it_was_read_is_found: PageNotReplayed,
            a_page_that_is_merged_though_low_has_moved_is_found: LowNotCompared,
            older_pages_that_outlive_a_reset_are_found: OlderKept,
            an_announcement_made_twice_is_found: AnnouncedTwice,
            an_overlay_that_is_left_by_its_seq_is_found: OverlayBySeq,
            marking_all_opened_without_a_tag_is_found: OpenedAllUntagged,
        }
    };
    ($holds:expr; $($claim:ident: $fault:ident,)*) => {$(
        #[test]
        fn $claim() {
            $crate::inbox::fault::Fault::$fault.plant();
            $holds;
        }
    )*};
}
