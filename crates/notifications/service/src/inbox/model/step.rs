//! The steps of a schedule.

use proptest::collection::vec;
use proptest::prelude::*;

/// One step. A number picks one of the things that exist.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A backend pushes.
    Push,
    /// A backend repeats a push.
    PushAgain(u8),
    /// A backend retracts a notification.
    Retract(u8),
    /// The server removes expired notifications.
    Expire,
    /// The server removes all but the newest notifications.
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
    /// The channel delivers, drops or repeats an event.
    Deliver(u8),
    Drop(u8),
    Repeat(u8),
    /// The client sends its query or a position check, and answers arrive or are lost.
    InboxQuery,
    Answer,
    LoseAnswer,
    AskHead,
    AnswerHead,
    Lag,
    LoadOlder(u8),
    /// The user writes, the client sends it, and the answer arrives or is lost.
    Write(u8),
    Send,
    Sent,
    LoseSent,
    /// The app restarts.
    Restart,
    /// The app crashes after the next step: before it has kept what came of it, or before it has
    /// announced what it has kept.
    CrashUnkept,
    CrashUntold,
    /// The app crashes when it has sent a write.
    CrashSent,
}

/// A schedule, from the start of the client.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// The window of the replica.
    pub(super) window: usize,
    /// How many notifications exist at the start.
    pub(super) already: usize,
    pub(super) steps: Vec<Step>,
}

/// Half of the schedules are stormy. In the others less goes wrong, so that the replica gets
/// further.
pub(super) fn schedules() -> impl Strategy<Value = Schedule> {
    let steps = prop_oneof![vec(step(1), 1..120), vec(step(5), 1..120)];
    (1usize..12, 0usize..16, steps).prop_map(|(window, already, steps)| Schedule { window, already, steps })
}

/// A step. Something goes wrong `calm` times less often.
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
        6 * calm => Just(Step::InboxQuery),
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
        1 => Just(Step::Restart),
        1 => Just(Step::CrashUnkept),
        1 => Just(Step::CrashUntold),
        2 => Just(Step::CrashSent),
    ]
}
