//! What can happen.

use proptest::collection::vec;
use proptest::prelude::*;

/// One thing that happens; a number picks of what is there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A backend pushes.
    Push,
    /// A backend pushes one again that it pushed before.
    PushAgain(u8),
    /// A sender takes one back, wherever it is.
    Retract(u8),
    /// The server takes out what has expired.
    Expire,
    /// The server takes out all but the newest.
    Prune(u8),
    /// Another device of the user writes.
    Open(u8),
    Unopen(u8),
    OpenAll,
    Remove(u8),
    /// The server's database is copied, or replaced by the copy.
    Backup,
    Restore,
    Trim(u8),
    /// The channel.
    Deliver(u8),
    Drop(u8),
    Repeat(u8),
    /// The client asks what it wants to know.
    Ask,
    Answer,
    LoseAnswer,
    AskHead,
    AnswerHead,
    Lag,
    LoadOlder(u8),
    /// The user writes, also without a connection.
    Write(u8),
    Send,
    Sent,
    LoseSent,
}

/// What happens, from when the client comes.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// How many notifications the replica holds.
    pub(super) window: usize,
    /// How many there are already.
    pub(super) already: usize,
    pub(super) steps: Vec<Step>,
}

/// Half of them are stormy. In the others little goes wrong, so that the replica gets further before it does.
pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    let steps = prop_oneof![vec(step(1), 1..120), vec(step(5), 1..120)];
    (1usize..12, 0usize..16, steps).prop_map(|(window, already, steps)| Schedule { window, already, steps })
}

/// One step; `calm` times as seldom something that goes wrong.
fn step(calm: u32) -> impl Strategy<Value = Step> {
    let pick = any::<u8>();
    prop_oneof![
        8 * calm => Just(Step::Push),
        1 => pick.prop_map(Step::PushAgain),
        2 * calm => pick.prop_map(Step::Retract),
        calm => Just(Step::Expire),
        1 => pick.prop_map(Step::Prune),
        2 * calm => pick.prop_map(Step::Open),
        calm => pick.prop_map(Step::Unopen),
        1 => Just(Step::OpenAll),
        2 * calm => pick.prop_map(Step::Remove),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => pick.prop_map(Step::Trim),
        16 * calm => pick.prop_map(Step::Deliver),
        3 => pick.prop_map(Step::Drop),
        2 => pick.prop_map(Step::Repeat),
        6 * calm => Just(Step::Ask),
        6 * calm => Just(Step::Answer),
        1 => Just(Step::LoseAnswer),
        2 => Just(Step::AskHead),
        2 => Just(Step::AnswerHead),
        1 => Just(Step::Lag),
        calm => pick.prop_map(Step::LoadOlder),
        2 * calm => pick.prop_map(Step::Write),
        3 * calm => Just(Step::Send),
        3 * calm => Just(Step::Sent),
        1 => Just(Step::LoseSent),
    ]
}
