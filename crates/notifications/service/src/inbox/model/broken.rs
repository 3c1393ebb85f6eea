//! The model test fails for each replica with a fault, within few schedules.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use super::{run, schedules};

/// How many schedules are tried, always the same ones.
const SCHEDULES: u32 = 1_000;

fn run_schedules() -> Result<(), TestError<impl Sized>> {
    let config = ProptestConfig {
        cases: SCHEDULES,
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
fn no_fault_is_found_in_the_replica_as_it_is() {
    assert!(run_schedules().is_ok());
}

fn assert_found() {
    assert!(matches!(run_schedules(), Err(TestError::Fail(..))), "not found in {SCHEDULES} schedules");
}

each_is_found!(assert_found());

/// Faults of the app that drives the replica.
mod app {
    use super::*;

    each_is_found! { assert_found();
        announcing_before_keeping_is_found: AnnouncedBeforeKept,
        queueing_before_keeping_is_found: QueuedBeforeKept,
        sending_before_keeping_is_found: SentBeforeKept,
    }
}
