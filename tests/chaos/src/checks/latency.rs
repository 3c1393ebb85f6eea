use crate::checks::findings::Findings;
use crate::load::ledger::Entries;
use serde::Serialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How much sooner than due a notification may appear, since times are in whole milliseconds.
const TOLERANCE: Duration = Duration::from_millis(50);
/// Stands for a delivery that never happened.
const NEVER: Duration = Duration::from_secs(86_400);
/// How long deliveries may take on a machine that is busy with other work.
const PATIENCE: Duration = Duration::from_secs(30);
/// A percentile of fewer deliveries is chance.
const FEWEST: usize = 100;
/// How many of the slowest deliveries the report describes.
const DESCRIBED: usize = 5;

/// The times in which nothing excuses a late delivery.
pub(crate) struct CalmTimes {
    started: Instant,
    calm: Vec<(Instant, Instant)>,
    since: Option<Instant>,
    /// The times in which the engine refuses a user's channel.
    refused: Vec<(usize, Instant, Instant)>,
    /// The strains beside which deliveries must be in time.
    strains: Vec<(&'static str, Instant, Instant)>,
    /// For how long it must be calm after the beginning of a delivery that is judged.
    judged: Duration,
    /// How long 99 of 100 deliveries to a user may take, from the acknowledgement of the push or
    /// the time when it falls due until a device announces it.
    limit: Duration,
}

impl CalmTimes {
    /// With `allow_late`, deliveries may take as long as on a machine that hardly gets to them.
    pub(crate) fn new(limit: Duration, allow_late: bool) -> Self {
        let (calm, refused, strains) = Default::default();
        let (judged, limit) = (limit, if allow_late { PATIENCE } else { limit });
        Self { started: Instant::now(), calm, since: None, refused, strains, judged, limit }
    }

    /// Begins a calm time, unless one has begun.
    pub(crate) fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Ends the calm time, if there is one.
    pub(crate) fn end(&mut self) {
        self.calm.extend(self.since.take().map(|since| (since, Instant::now())));
    }

    /// Excuses late deliveries to a user from a moment until now.
    pub(crate) fn except(&mut self, user: usize, from: Instant) {
        self.refused.push((user, from, Instant::now()));
    }

    /// Notes a strain that lasted from a moment until now.
    pub(crate) fn note(&mut self, strain: &'static str, from: Instant) {
        self.strains.push((strain, from, Instant::now()));
    }

    /// Returns the strains that overlap the time from a moment until a latency has passed.
    fn strains_beside(&self, begin: Instant, latency: Duration) -> String {
        let end = begin.checked_add(latency).unwrap_or(begin);
        let beside = self.strains.iter().filter(|(_, from, until)| *from < end && *until > begin);
        let beside: Vec<&str> = beside.map(|(name, ..)| *name).collect();
        if beside.is_empty() { "no strain".to_owned() } else { beside.join(" and ") }
    }

    /// Returns whether a delivery to a user that begins now is judged: it is calm long enough after
    /// it.
    fn judges(&self, user: usize, begin: Instant, stalls: &[(Instant, Instant)]) -> bool {
        let end = begin + self.judged;
        let overlaps = |from: Instant, until: Instant| from < end && until > begin;
        self.calm.iter().any(|(since, until)| *since <= begin && end <= *until)
            && !self.refused.iter().any(|(other, from, until)| *other == user && overlaps(*from, *until))
            && !stalls.iter().any(|(from, until)| overlaps(*from, *until))
    }
}

/// The latencies of deliveries in calm times.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Latencies {
    pub(crate) deliveries: usize,
    pub(crate) p50_ms: u128,
    pub(crate) p99_ms: u128,
    pub(crate) longest_ms: u128,
    /// The slowest, each with what happened at the same time.
    pub(crate) slowest: Vec<String>,
}

/// The delivery of a notification to a device.
struct Delivery {
    is_scheduled: bool,
    latency: Duration,
    begin: Instant,
    what: String,
}

/// What devices announced, and when.
pub(crate) struct Device {
    pub(crate) user: usize,
    pub(crate) name: String,
    pub(crate) announced: HashMap<String, Instant>,
}

/// The latencies of live and of scheduled deliveries. Deliveries in `stalls`, in which this process
/// did not run in time itself, do not count.
pub(crate) fn latencies(
    entries: &Entries,
    devices: &[Device],
    calm: &CalmTimes,
    stalls: &[(Instant, Instant)],
) -> ([Latencies; 2], Findings) {
    let mut found = Findings::default();
    let mut all = [Vec::new(), Vec::new()];
    for user in 0..entries.pushed_to.len() {
        let mut own = [Vec::new(), Vec::new()];
        for device in devices.iter().filter(|device| device.user == user) {
            for delivery in device.deliveries(entries, calm, stalls, &mut found) {
                let [live, scheduled] = &mut own;
                if delivery.is_scheduled { scheduled.push(delivery) } else { live.push(delivery) }
            }
        }
        for ((own, all), kind) in own.iter_mut().zip(&mut all).zip(KINDS) {
            own.sort_by_key(|delivery| delivery.latency);
            found.late.extend(too_late(own, calm.limit, &format!("{kind} to user {user}")));
            all.append(own);
        }
    }
    for (all, kind) in all.iter_mut().zip(KINDS) {
        all.sort_by_key(|delivery| delivery.latency);
        found.late.extend(too_late(all, calm.limit, &format!("{kind} to all users")));
    }
    (all.map(|all| Latencies::of(&all, calm)), found)
}

const KINDS: [&str; 2] = ["live deliveries", "scheduled deliveries"];

impl Device {
    /// Returns the deliveries that began in calm times.
    fn deliveries(
        &self,
        entries: &Entries,
        calm: &CalmTimes,
        stalls: &[(Instant, Instant)],
        found: &mut Findings,
    ) -> Vec<Delivery> {
        let writes = entries.writes.get(self.user).map(Vec::as_slice).unwrap_or_default();
        let (mut deliveries, mut early) = (Vec::new(), Vec::new());
        for id in entries.pushed_to.get(self.user).into_iter().flatten() {
            let Some(push) = entries.pushes.get(id) else { continue };
            let announced = self.announced.get(id);
            if let (Some(due), Some(at)) = (push.due, announced)
                && *at + TOLERANCE < due
            {
                early.push((due - *at, id));
            }
            let begin = push.due.map_or(push.exchange.answered, |due| due.max(push.exchange.answered));
            if !calm.judges(self.user, begin, stalls) {
                continue;
            }
            let latency = match announced {
                Some(at) => at.saturating_duration_since(begin),
                // A catch-up announces only what is still there and pending.
                None if writes.iter().any(|write| write.settles(id, begin + calm.limit)) => continue,
                None => NEVER,
            };
            let what = format!("{id} to {}", self.name);
            deliveries.push(Delivery { is_scheduled: push.due.is_some(), latency, begin, what });
        }
        if let Some((by, id)) = early.iter().max() {
            let count = early.len();
            found.wrong.push(format!("{}: {count} came before they were due, {id} by {by:?}", self.name));
        }
        deliveries
    }
}

impl Latencies {
    fn of(sorted: &[Delivery], calm: &CalmTimes) -> Self {
        let slowest = sorted.iter().rev().take(DESCRIBED);
        Self {
            deliveries: sorted.len(),
            p50_ms: percentile(sorted, 50).as_millis(),
            p99_ms: percentile(sorted, 99).as_millis(),
            longest_ms: percentile(sorted, 100).as_millis(),
            slowest: slowest.map(|delivery| delivery.describe(calm)).collect(),
        }
    }
}

impl Delivery {
    fn describe(&self, calm: &CalmTimes) -> String {
        let Self { latency, begin, what, .. } = self;
        let at = begin.saturating_duration_since(calm.started).as_secs_f64();
        let beside = calm.strains_beside(*begin, *latency);
        format!("{what}: {} ms, {at:.1} s after the start, beside {beside}", latency.as_millis())
    }
}

/// Returns a finding if 99 of 100 deliveries are not within the limit.
fn too_late(sorted: &[Delivery], limit: Duration, which: &str) -> Option<String> {
    let p99 = percentile(sorted, 99);
    (sorted.len() >= FEWEST && p99 > limit).then(|| {
        let late = sorted.iter().filter(|delivery| delivery.latency > limit).count();
        format!("{late} of {} {which} took longer than {limit:?}, p99 {p99:?}", sorted.len())
    })
}

/// Returns the shortest duration that this percentage does not exceed.
fn percentile(sorted: &[Delivery], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).map(|delivery| delivery.latency).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::exchange::Exchange;
    use crate::load::ledger::{Action, Ledger, Write};

    const SECOND: Duration = Duration::from_secs(1);

    /// A run of 100 seconds that was calm in the middle, with a push a tenth of a second.
    fn run(latency: impl Fn(u32) -> Option<Duration>, due: bool) -> (Latencies, Findings) {
        run_with(CalmTimes::new(SECOND, false), latency, due)
    }

    fn run_with(
        mut calm: CalmTimes,
        latency: impl Fn(u32) -> Option<Duration>,
        due: bool,
    ) -> (Latencies, Findings) {
        let (start, ledger) = (Instant::now(), Ledger::new(1));
        let mut announced = HashMap::new();
        for number in 0..1_000 {
            let at = start + SECOND * number / 10;
            let exchange = Exchange { first: at, last: at, answered: at, attempts: 1 };
            ledger.record_push(number.to_string(), vec![0], exchange, due.then_some(at));
            announced.extend(latency(number).map(|latency| (number.to_string(), at + latency)));
        }
        calm.calm.push((start + SECOND * 40, start + SECOND * 60));
        let devices = [Device { user: 0, name: "device".to_owned(), announced }];
        let ([live, scheduled], found) = latencies(&ledger.entries_so_far(), &devices, &calm, &[]);
        (if due { scheduled } else { live }, found)
    }

    #[test]
    fn late_deliveries_are_found_in_calm_times_only() {
        let outside = |number| Some(if (400..=590).contains(&number) { SECOND / 2 } else { SECOND * 30 });
        let (latencies, found) = run(outside, true);
        assert_eq!((latencies.deliveries, latencies.p99_ms, found.late.len()), (191, 500, 0));
        let (latencies, found) = run(|number| Some(SECOND / 2 + SECOND * u32::from(number % 20 == 0)), false);
        assert_eq!((latencies.p50_ms, latencies.p99_ms), (500, 1_500));
        assert_eq!(found.late.len(), 2, "of the user, and of all");
        let (_, found) = run(|number| (number % 20 != 0).then_some(SECOND / 2), false);
        assert_eq!(found.late.len(), 2, "what is never announced is late");
        let (_, found) = run(|number| Some(SECOND / 2 + SECOND * u32::from(number == 500)), false);
        assert_eq!(found.late, Vec::<String>::new(), "one in 191 may be late");
    }

    #[test]
    fn what_is_never_announced_is_found_even_where_late_deliveries_are_allowed() {
        let found = |latency: fn(u32) -> Option<Duration>| {
            let calm = CalmTimes::new(SECOND, true);
            run_with(calm, latency, false).1.late.len()
        };
        assert_eq!(found(|_| Some(SECOND * 30)), 0);
        assert_eq!(found(|_| Some(SECOND * 31)), 2);
        assert_eq!(found(|number| (number % 20 != 0).then_some(SECOND * 30)), 2);
    }

    #[test]
    fn only_what_was_opened_or_removed_in_time_need_not_be_announced() {
        let (begin, id) = (Instant::now(), "n".to_owned());
        let settles = |action: Action, after: Duration| {
            let at = begin + after;
            let exchange = Exchange { first: at, last: at, answered: at, attempts: 1 };
            Write { action, exchange }.settles("n", begin + SECOND)
        };
        assert!(settles(Action::Removed(id.clone()), SECOND / 2));
        assert!(settles(Action::Opened(vec!["m".to_owned(), id.clone()]), SECOND / 2));
        assert!(settles(Action::AllOpened, SECOND / 2));
        assert!(!settles(Action::Unopened(vec![id.clone()]), SECOND / 2));
        assert!(!settles(Action::Removed("m".to_owned()), SECOND / 2));
        assert!(!settles(Action::Removed(id), SECOND * 2));
    }

    #[test]
    fn an_early_delivery_is_found_at_any_time() {
        let start = Instant::now();
        let ledger = Ledger::new(1);
        let exchange = Exchange { first: start, last: start, answered: start, attempts: 1 };
        ledger.record_push("n".to_owned(), vec![0], exchange, Some(start + SECOND));
        let announced = HashMap::from([("n".to_owned(), start + SECOND / 2)]);
        let devices = [Device { user: 0, name: "device".to_owned(), announced }];
        let (_, found) = latencies(&ledger.entries_so_far(), &devices, &CalmTimes::new(SECOND, false), &[]);
        assert_eq!(found.wrong.len(), 1);
    }
}
