//! Replicas with a fault: the model test fails on each within few schedules.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use super::{run, schedules};

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

each_is_found!(assert!(matches!(tried(), Err(TestError::Fail(..))), "not found in {ENOUGH} schedules"));
