//! The replica against a model server, over a channel that drops, repeats, reorders and delays, and questions whose answers are late or lost;
//! with restored backups and a trimmed log. G2 (converges), G3 (announced once, in order), G4 (what was heard of and is missing is asked for)
//! and G6 (exact counts). That it finds what is wrong is tested too: by replicas that are broken on purpose.

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

/// How many schedules a run tries: `MODEL_SCHEDULES`, or 10,000.
fn cases() -> u32 {
    std::env::var("MODEL_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// With proptest's default generator of random numbers, most of the time would be its own.
fn config() -> ProptestConfig {
    let rng_algorithm = RngAlgorithm::XorShift;
    ProptestConfig { cases: cases(), failure_persistence: None, rng_algorithm, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_the_replica_ends_as_the_server(schedule in schedules()) {
        run(schedule);
    }
}
