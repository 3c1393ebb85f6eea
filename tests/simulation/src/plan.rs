use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// The users, and the devices of each.
pub(crate) const DEVICES: [(&str, &str); 4] =
    [("ada", "ada-1"), ("ada", "ada-2"), ("bob", "bob-1"), ("eve", "eve-1")];
/// Until then pushes are made and things break; after it all is well again.
pub(crate) const TROUBLE: Duration = Duration::from_secs(60);

/// What a seed does. Times are on the simulated clock.
pub(crate) struct Plan {
    /// The largest latency of a message.
    pub(crate) latency: Duration,
    pub(crate) pushes: Vec<(Duration, PlannedPush)>,
    /// With the index of the device.
    pub(crate) acts: Vec<(Duration, usize, Act)>,
    pub(crate) faults: Vec<(Duration, Fault)>,
}

#[derive(Clone, Debug)]
pub(crate) struct PlannedPush {
    pub(crate) id: String,
    pub(crate) users: Vec<&'static str>,
    pub(crate) content: usize,
    pub(crate) send_after: Option<Duration>,
    pub(crate) expires_after: Option<Duration>,
    /// When it is taken back, if it is.
    pub(crate) retracted_after: Option<Duration>,
    /// Written as an intent in a transaction of the caller, not pushed over HTTP.
    pub(crate) intent: bool,
}

/// What a user does on a device.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    OpenNewest,
    OpenAll,
    UnopenNewest,
    RemoveOldest,
    LoadOlder,
}

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing passes between server and device for so long, and what was sent is lost.
    Partition(&'static str, Duration),
    /// What is sent between them waits for so long.
    Hold(&'static str, Duration),
    /// The server is killed, and is back after so long.
    CrashServer(Duration),
    /// As that, and it comes back with the database as it was at its last copy.
    Restore(Duration),
    /// A copy of the database is taken.
    Copy,
    /// The device's app is killed, and started again after so long.
    CrashDevice(&'static str, Duration),
    /// The device's connections are reset.
    Reset(&'static str),
    /// The next live events of the user are lost, so many.
    Lose(&'static str, usize),
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let latency = Duration::from_millis(*[2, 20, 100, 400].choose(&mut rng).unwrap_or(&2));
        let mut pushes: Vec<_> =
            (0..rng.random_range(8..40)).map(|index| (moment(&mut rng, 40), push(&mut rng, index))).collect();
        let act = |_| (moment(&mut rng, 50), rng.random_range(0..DEVICES.len()), act(&mut rng));
        let mut acts: Vec<_> = (0..20).map(act).collect();
        acts.truncate(rng.random_range(0..20));
        let fault = |_| (moment(&mut rng, TROUBLE.as_secs()), fault(&mut rng));
        let mut faults: Vec<_> = (0..9).map(fault).collect();
        faults.truncate(rng.random_range(2..9));
        pushes.sort_by_key(|(at, _)| *at);
        acts.sort_by_key(|(at, ..)| *at);
        faults.sort_by_key(|(at, _)| *at);
        Self { latency, pushes, acts, faults }
    }
}

/// From the first second to that one.
fn moment(rng: &mut StdRng, until: u64) -> Duration {
    Duration::from_millis(rng.random_range(1_000..until * 1_000))
}

fn seconds(rng: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(rng.random_range(100..most * 1000))
}

fn push(rng: &mut StdRng, index: usize) -> PlannedPush {
    let mut users: Vec<&'static str> =
        ["ada", "bob", "eve"].into_iter().filter(|_| rng.random_bool(0.5)).collect();
    if users.is_empty() {
        users.push("ada");
    }
    let send_after = rng.random_bool(0.2).then(|| seconds(rng, 10));
    let lasts = rng.random_bool(0.15).then(|| seconds(rng, 10));
    PlannedPush {
        id: format!("n{index}"),
        users,
        // The largest go out as thin events.
        content: *[10, 200, 12_000].choose(rng).unwrap_or(&10),
        send_after,
        expires_after: lasts.map(|lasts| send_after.unwrap_or_default() + lasts),
        retracted_after: rng.random_bool(0.15).then(|| seconds(rng, 15)),
        intent: rng.random_bool(0.25),
    }
}

fn act(rng: &mut StdRng) -> Act {
    let acts = [Act::OpenNewest, Act::OpenAll, Act::UnopenNewest, Act::RemoveOldest, Act::LoadOlder];
    *acts.choose(rng).unwrap_or(&Act::OpenAll)
}

fn fault(rng: &mut StdRng) -> Fault {
    let (user, device) = *DEVICES.choose(rng).unwrap_or(&DEVICES[0]);
    match rng.random_range(0..10) {
        0 | 1 => Fault::Partition(device, seconds(rng, 30)),
        2 => Fault::Hold(device, seconds(rng, 10)),
        3 | 4 => Fault::CrashServer(seconds(rng, 5)),
        5 => Fault::Restore(seconds(rng, 5)),
        6 => Fault::Copy,
        7 => Fault::CrashDevice(device, seconds(rng, 10)),
        8 => Fault::Reset(device),
        _ => Fault::Lose(user, rng.random_range(1..4)),
    }
}

impl PlannedPush {
    /// The one after all trouble, whose live event is lost.
    pub(crate) fn last() -> Self {
        Self {
            id: "last".to_owned(),
            users: vec!["ada"],
            content: 10,
            send_after: None,
            expires_after: None,
            retracted_after: None,
            intent: false,
        }
    }
}

impl Plan {
    /// Whether a notification is to leave the inboxes by itself.
    pub(crate) fn expires(&self, id: &str) -> bool {
        self.pushes.iter().any(|(_, push)| push.id == id && push.expires_after.is_some())
    }

    /// Whether anybody ever pushes it.
    pub(crate) fn knows(&self, id: &str) -> bool {
        id == PlannedPush::last().id || self.pushes.iter().any(|(_, push)| push.id == id)
    }
}
