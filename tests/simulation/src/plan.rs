use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

/// The users' devices, each with its user.
pub(crate) const DEVICES: [(&str, &str); 4] =
    [("ada", "ada-1"), ("ada", "ada-2"), ("bob", "bob-1"), ("eve", "eve-1")];
/// How long a run pushes and injects faults. After this everything works again.
pub(crate) const TROUBLE: Duration = Duration::from_secs(60);

/// The events of a run, as decided by the seed. Times are on the simulated clock.
pub(crate) struct Plan {
    /// The largest latency of a network message.
    pub(crate) latency: Duration,
    pub(crate) pushes: Vec<(Duration, PlannedPush)>,
    /// The users' actions, with the index of the device.
    pub(crate) actions: Vec<(Duration, usize, UserAction)>,
    pub(crate) faults: Vec<(Duration, Fault)>,
}

#[derive(Clone, Debug)]
pub(crate) struct PlannedPush {
    pub(crate) id: String,
    pub(crate) users: Vec<&'static str>,
    pub(crate) content: usize,
    pub(crate) send_after: Option<Duration>,
    pub(crate) expires_after: Option<Duration>,
    /// How long after the push it is retracted, if ever.
    pub(crate) retracted_after: Option<Duration>,
    /// Whether it is written as an intent in the app's transaction instead of pushed over HTTP.
    pub(crate) intent: bool,
}

/// A user's action on a device.
#[derive(Clone, Copy, Debug)]
pub(crate) enum UserAction {
    OpenNewest,
    OpenAll,
    UnopenNewest,
    RemoveOldest,
    LoadOlder,
}

#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing passes between server and device for this long, and everything sent meanwhile is
    /// lost.
    Partition(&'static str, Duration),
    /// Everything sent between server and device is held back for this long.
    Hold(&'static str, Duration),
    /// The server is killed and restarts after this long.
    CrashServer(Duration),
    /// The server is killed and restarts after this long with the last copy of its database.
    Restore(Duration),
    /// The database is copied.
    Copy,
    /// The device's app is killed and restarts after this long.
    CrashDevice(&'static str, Duration),
    /// The device's connections are reset.
    Reset(&'static str),
    /// This many of the user's next live events are lost.
    Lose(&'static str, usize),
}

impl Plan {
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let latency = Duration::from_millis(*[2, 20, 100, 400].choose(&mut rng).unwrap_or(&2));
        let mut pushes: Vec<_> = (0..rng.random_range(8..40))
            .map(|index| (random_moment(&mut rng, 40), push(&mut rng, index)))
            .collect();
        let action = |_| (random_moment(&mut rng, 50), rng.random_range(0..DEVICES.len()), action(&mut rng));
        let mut actions: Vec<_> = (0..20).map(action).collect();
        actions.truncate(rng.random_range(0..20));
        let fault = |_| (random_moment(&mut rng, TROUBLE.as_secs()), fault(&mut rng));
        let mut faults: Vec<_> = (0..9).map(fault).collect();
        faults.truncate(rng.random_range(2..9));
        if rng.random_bool(0.5) {
            queue_and_crash(&mut rng, &mut actions, &mut faults);
        }
        pushes.sort_by_key(|(at, _)| *at);
        actions.sort_by_key(|(at, ..)| *at);
        faults.sort_by_key(|(at, _)| *at);
        Self { latency, pushes, actions, faults }
    }
}

/// A user opens a notification while the server is down, and the app is killed before it is back.
fn queue_and_crash(
    rng: &mut StdRng,
    actions: &mut Vec<(Duration, usize, UserAction)>,
    faults: &mut Vec<(Duration, Fault)>,
) {
    let (at, index) = (random_moment(rng, 45), rng.random_range(0..DEVICES.len()));
    let after = |seconds| at + Duration::from_secs(seconds);
    let Some((_, device)) = DEVICES.get(index) else { return };
    faults.push((at, Fault::CrashServer(Duration::from_secs(8))));
    actions.push((after(1), index, UserAction::OpenNewest));
    faults.push((after(6), Fault::CrashDevice(device, Duration::from_secs(1))));
}

/// Returns a random moment between the first second and this one.
fn random_moment(rng: &mut StdRng, until: u64) -> Duration {
    Duration::from_millis(rng.random_range(1_000..until * 1_000))
}

fn random_duration(rng: &mut StdRng, max_seconds: u64) -> Duration {
    Duration::from_millis(rng.random_range(100..max_seconds * 1000))
}

fn push(rng: &mut StdRng, index: usize) -> PlannedPush {
    let mut users: Vec<&'static str> =
        ["ada", "bob", "eve"].into_iter().filter(|_| rng.random_bool(0.5)).collect();
    if users.is_empty() {
        users.push("ada");
    }
    let send_after = rng.random_bool(0.2).then(|| random_duration(rng, 10));
    let lifetime = rng.random_bool(0.15).then(|| random_duration(rng, 10));
    PlannedPush {
        id: format!("n{index}"),
        users,
        // The largest are published as thin events.
        content: *[10, 200, 12_000].choose(rng).unwrap_or(&10),
        send_after,
        expires_after: lifetime.map(|lifetime| send_after.unwrap_or_default() + lifetime),
        retracted_after: rng.random_bool(0.15).then(|| random_duration(rng, 15)),
        intent: rng.random_bool(0.25),
    }
}

fn action(rng: &mut StdRng) -> UserAction {
    let actions = [
        UserAction::OpenNewest,
        UserAction::OpenAll,
        UserAction::UnopenNewest,
        UserAction::RemoveOldest,
        UserAction::LoadOlder,
    ];
    *actions.choose(rng).unwrap_or(&UserAction::OpenAll)
}

fn fault(rng: &mut StdRng) -> Fault {
    let (user, device) = *DEVICES.choose(rng).unwrap_or(&DEVICES[0]);
    match rng.random_range(0..10) {
        0 | 1 => Fault::Partition(device, random_duration(rng, 30)),
        2 => Fault::Hold(device, random_duration(rng, 10)),
        3 | 4 => Fault::CrashServer(random_duration(rng, 5)),
        5 => Fault::Restore(random_duration(rng, 5)),
        6 => Fault::Copy,
        7 => Fault::CrashDevice(device, random_duration(rng, 10)),
        8 => Fault::Reset(device),
        _ => Fault::Lose(user, rng.random_range(1..4)),
    }
}

impl PlannedPush {
    /// Returns the push after all trouble, whose live event is lost.
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
    /// Returns whether a notification expires.
    pub(crate) fn expires(&self, id: &str) -> bool {
        self.pushes.iter().any(|(_, push)| push.id == id && push.expires_after.is_some())
    }

    /// Returns whether anybody ever pushes this id.
    pub(crate) fn pushes(&self, id: &str) -> bool {
        id == PlannedPush::last().id || self.pushes.iter().any(|(_, push)| push.id == id)
    }
}
