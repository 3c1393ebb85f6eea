//! The replica against a model server, over a channel that drops, repeats, reorders and delays, and questions whose answers are late or lost;
//! with restored backups and a trimmed log. G2 (converges), G3 (announced once, in order) and G6 (exact counts).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod world;

use proptest::prelude::*;
use world::{Step, World};

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<u8>();
    prop_oneof![
        8 => Just(Step::Push),
        2 => pick.prop_map(Step::Open),
        1 => pick.prop_map(Step::Unopen),
        1 => Just(Step::OpenAll),
        2 => pick.prop_map(Step::Remove),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => pick.prop_map(Step::Trim),
        8 => pick.prop_map(Step::Deliver),
        3 => pick.prop_map(Step::Drop),
        2 => pick.prop_map(Step::Repeat),
        6 => Just(Step::Ask),
        6 => Just(Step::Answer),
        1 => Just(Step::LoseAnswer),
        2 => Just(Step::AskHead),
        2 => Just(Step::AnswerHead),
        1 => Just(Step::Lag),
        1 => pick.prop_map(Step::LoadOlder),
        3 => pick.prop_map(Step::Write),
        3 => Just(Step::Send),
        3 => Just(Step::Sent),
        1 => Just(Step::LoseSent),
    ]
}

/// How many schedules a run tries: `MODEL_SCHEDULES`, or 3,000.
fn schedules() -> u32 {
    std::env::var("MODEL_SCHEDULES").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: schedules(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_replica_ends_as_the_server(steps in prop::collection::vec(step(), 1..120), window in 1usize..12) {
        let mut world = World::new(window);
        for step in steps {
            world.step(step);
        }
        world.heal();
    }
}
