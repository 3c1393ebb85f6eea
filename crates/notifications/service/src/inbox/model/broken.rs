//! Replicas with a fault: the model test fails on each within few schedules.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use super::{run, schedules};
use crate::inbox::fault::Fault;

/// How many schedules, always the same ones, must do.
const ENOUGH: u32 = 1_000;

fn tried() -> Result<(), TestError<impl Sized>> {
    let config = ProptestConfig {
        cases: ENOUGH,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    TestRunner::new_with_rng(config, rng).run(&schedules(), |schedule| {
        run(schedule);
        Ok(())
    })
}

#[test]
fn none_is_found_in_the_replica_as_it_is() {
    assert!(tried().is_ok());
}

macro_rules! is_found {
    ($($claim:ident: $fault:ident,)*) => {$(
        #[test]
        fn $claim() {
            Fault::$fault.plant();
            assert!(matches!(tried(), Err(TestError::Fail(..))), "not found in {ENOUGH} schedules");
        }
    )*};
}

is_found! {
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
