//! Random schedules of a replica and a model server. The channel drops, repeats, reorders and
//! delays events; answers are late or lost; backups are restored and the log is trimmed.
//!
//! The schedules check G2 (converges), G3 (announced once, in order), G4 (a gap starts a catch-up)
//! and G6 (exact counts). The module `broken` checks that they find the faults of broken replicas.

mod broken;
mod checks;
mod server;
mod step;
mod world;

use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use step::{Schedule, schedules};
use world::World;

fn run(schedule: Schedule) {
    let mut world = World::new(schedule.window, schedule.already);
    for step in schedule.steps {
        world.step(step);
    }
    world.heal();
}

/// Returns how many schedules a run tries: `MODEL_SCHEDULES`, or 10,000.
fn cases() -> u32 {
    std::env::var("MODEL_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// The default random number generator of proptest would take most of the time.
fn config() -> ProptestConfig {
    let rng_algorithm = RngAlgorithm::XorShift;
    ProptestConfig { cases: cases(), failure_persistence: None, rng_algorithm, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_replica_converges_whatever_happens(schedule in schedules()) {
        run(schedule);
    }
}
