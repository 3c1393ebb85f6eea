use crate::checks::check;
use crate::checks::findings::Findings;
use crate::checks::inbox::Inbox;
use crate::checks::latency::{CalmTimes, Device, Latencies, latencies};
use crate::checks::recovery::{RECOVERY_LIMIT, recover};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::faults::{NetworkFault, ProcessFault, ShuffleBag, Strain, random_millis};
use crate::load::crowd::Crowd;
use crate::load::ledger::{AWAITED, Entries};
use crate::load::retrying_client::RetryingClient;
use crate::load::user::User;
use crate::load::writer::Writer;
use crate::processes::fake_clock;
use crate::replica::Replica;
use crate::report::{Latency, MEASURED, Pushes, Recovery, Report};
use crate::stalls::Stalls;
use crate::strains;
use crate::testbed::{API_KEY, Testbed, USERS};
use futures_util::future::join_all;
use internal_notifications_pusher::contract::MAX_WINDOW;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const WRITERS: usize = 8;
const PUSHES_A_SECOND: f64 = 120.0;
/// How long a change may take from its commit to its event.
const PUBLISH_TIME: Duration = Duration::from_secs(1);
/// The average number of recipients of a push; see the writer.
const RECIPIENTS: f64 = 2.0;

/// Starts everything, injects faults, waits for recovery, and compares everything.
pub(crate) async fn run(line: &CommandLine) -> Result<Report, Failure> {
    let seed = line.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let run = format!("{:x}", rand::rng().random::<u32>());
    let folder = tempfile::Builder::new().prefix("internal-notifications-chaos-").tempdir()?;
    let mut testbed = Testbed::start(line, folder.path(), &run).await?;

    let (stop, stopped) = watch::channel(false);
    let stalls = Stalls::watch();
    let writing = start_writing(&testbed, line.seconds, seed, &stopped);
    let calm = CalmTimes::new(Duration::from_millis(line.latency_limit), line.allow_late);
    let mut progress = Progress::new(calm);
    let injected = inject_faults(&mut testbed, Duration::from_secs(line.seconds), seed, &mut progress).await;
    stop.send_replace(true);
    if let Err(failure) = injected {
        return Err(format!("{failure}; logs: {}", folder.keep().display()).into());
    }
    if timeout(RECOVERY_LIMIT, writing.join_all()).await.is_err() {
        progress.findings.other.push(format!("a push or write was not answered within {RECOVERY_LIMIT:?}"));
    }
    push_without_live_events(&testbed, seed).await;
    let entries = testbed.ledger.entries_so_far();
    let (found, inboxes) = check(&testbed, &entries).await;
    progress.findings.add(found);
    let devices: Vec<Device> = testbed.replicas.iter().map(Replica::device).collect();
    let (latencies, found) = latencies(&entries, &devices, &progress.calm, &stalls.so_far());
    progress.findings.add(found);
    progress.findings.other.extend(entries.unexpected.iter().cloned());
    join_all(testbed.replicas.iter().map(Replica::dispose)).await;

    let mut report = report(line, seed, &testbed, progress, latencies, &entries, &inboxes);
    drop(testbed);
    report.evidence = (!report.is_clean()).then(|| folder.keep());
    Ok(report)
}

/// The faults, recoveries and findings so far.
struct Progress {
    faults: BTreeMap<&'static str, u32>,
    recoveries: Vec<Duration>,
    findings: Findings,
    calm: CalmTimes,
    /// How many events the running nodes have skipped because the engine refused them.
    skipped: u64,
}

impl Progress {
    fn new(calm: CalmTimes) -> Self {
        let (faults, recoveries, findings) = Default::default();
        Self { faults, recoveries, findings, calm, skipped: 0 }
    }
}

fn start_writing(testbed: &Testbed, seconds: u64, seed: u64, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    // A replica must be able to hold everything at the end, with a margin for chance.
    let most = USERS as f64 * MAX_WINDOW as f64 * 0.6 / RECIPIENTS / seconds as f64;
    let pause = Duration::from_secs_f64(WRITERS as f64 / PUSHES_A_SECOND.min(most));
    for number in 0..WRITERS {
        let writer = writer(testbed, StdRng::seed_from_u64(seed ^ (number as u64 + 1)));
        tasks.spawn(writer.run(format!("{number}"), pause, stopped.clone()));
    }
    let schedule = writer(testbed, StdRng::seed_from_u64(seed ^ 500));
    tasks.spawn(schedule.run_schedule(pause * 4, stopped.clone()));
    for (number, token) in testbed.tokens.iter().enumerate() {
        let rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1000));
        let requests = RetryingClient::new(&testbed.fronts, token, rng);
        let user = User { number, requests, ledger: testbed.ledger.clone() };
        tasks.spawn(user.run(stopped.clone()));
    }
    tasks
}

fn crowd(testbed: &Testbed, rng: StdRng) -> Crowd {
    let requests = RetryingClient::new(&testbed.fronts, API_KEY, rng);
    Crowd { requests, users: testbed.users.clone(), ledger: testbed.ledger.clone() }
}

fn writer(testbed: &Testbed, rng: StdRng) -> Writer {
    let requests = RetryingClient::new(&testbed.fronts, API_KEY, rng);
    Writer { requests, users: testbed.users.clone(), ledger: testbed.ledger.clone() }
}

/// Injects rounds of faults, and waits after each until every replica has recovered. Rounds that
/// break something alternate with rounds in which everybody must be served in time.
async fn inject_faults(
    testbed: &mut Testbed,
    time: Duration,
    seed: u64,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let rng = |salt: u64| StdRng::seed_from_u64(seed ^ salt);
    let mut breaking = BreakingRounds::new(testbed, seed);
    let (has_engine, has_clocks) = (testbed.processes.engine.is_some(), testbed.has_clocks());
    let mut strains = ShuffleBag::new(Strain::possible(has_engine, has_clocks));
    let mut crowds = [crowd(testbed, rng(2000)), crowd(testbed, rng(2001))];
    let mut strain_rng = rng(3000);
    let mut marker = writer(testbed, rng(0));
    let begun = Instant::now();
    while begun.elapsed() < time {
        progress.calm.end();
        breaking.next(testbed, progress).await?;
        recover_all(testbed, &mut marker, progress).await?;
        wait_until_live(testbed, progress).await;
        progress.calm.begin();
        if begun.elapsed() < time {
            let mut drawn = [strains.draw(&mut strain_rng), strains.draw(&mut strain_rng)];
            if drawn[0] == drawn[1] {
                drawn[1] = None;
            }
            let excused = strain(testbed, drawn, &mut crowds, &mut strain_rng, progress).await?;
            recover_all(testbed, &mut marker, progress).await?;
            for (user, since) in excused {
                progress.calm.except(user, since);
            }
        }
    }
    progress.calm.end();
    Ok(())
}

/// Rounds in which processes are killed and connections fail.
struct BreakingRounds {
    faults: ShuffleBag<ProcessFault>,
    network_faults: ShuffleBag<NetworkFault>,
    rng: StdRng,
    network_rng: StdRng,
}

impl BreakingRounds {
    fn new(testbed: &Testbed, seed: u64) -> Self {
        let processes = &testbed.processes;
        let faults = ProcessFault::weighted(
            &processes.database,
            processes.nodes.len(),
            processes.engine.is_some(),
            testbed.has_clocks(),
        );
        Self {
            faults: ShuffleBag::new(faults),
            network_faults: ShuffleBag::new(NetworkFault::ALL.to_vec()),
            rng: StdRng::seed_from_u64(seed),
            network_rng: StdRng::seed_from_u64(!seed),
        }
    }

    async fn next(&mut self, testbed: &mut Testbed, progress: &mut Progress) -> Result<(), Failure> {
        let Self { faults, network_faults, rng, network_rng } = self;
        sleep(random_millis(rng, 500..1500)).await;
        let (processes, ledger, network) = (&mut testbed.processes, &testbed.ledger, &testbed.network);
        let on_machines = async {
            let mut happened = Vec::new();
            for _ in 0..rng.random_range(1..3) {
                let Some(fault) = faults.draw(rng) else { break };
                happened.push(processes.inject(fault, rng, ledger).await?.name());
                sleep(random_millis(rng, 0..1000)).await;
            }
            Ok::<_, Failure>(happened)
        };
        let on_network = async {
            let mut happened = Vec::new();
            for _ in 0..network_rng.random_range(1..4) {
                let Some(fault) = network_faults.draw(network_rng) else { break };
                network.inject(fault, network_rng).await;
                happened.push(fault.name());
                sleep(random_millis(network_rng, 0..500)).await;
            }
            happened
        };
        let (on_machines, on_network) = tokio::join!(on_machines, on_network);
        for kind in on_machines?.into_iter().chain(on_network) {
            *progress.faults.entry(kind).or_default() += 1;
        }
        Ok(())
    }
}

/// Lets two strains happen at the same time. Returns the users whose deliveries may be late, and
/// since when.
async fn strain(
    testbed: &Testbed,
    drawn: [Option<Strain>; 2],
    [first, second]: &mut [Crowd; 2],
    rng: &mut StdRng,
    progress: &mut Progress,
) -> Result<Vec<(usize, Instant)>, Failure> {
    let mut other_rng = StdRng::seed_from_u64(rng.random());
    let [one, other] = drawn.map(|strain| strain.into_iter().collect::<Vec<_>>());
    let begun = Instant::now();
    let (one_excused, other_excused) = tokio::join!(
        strains::inject(testbed, &one, first, rng),
        strains::inject(testbed, &other, second, &mut other_rng)
    );
    for strain in one.iter().chain(&other) {
        *progress.faults.entry(strain.name()).or_default() += 1;
        progress.calm.note(strain.name(), begun);
    }
    Ok(one_excused?.into_iter().chain(other_excused?).collect())
}

/// Waits until every replica has recovered, and looks for what went wrong meanwhile.
async fn recover_all(
    testbed: &mut Testbed,
    marker: &mut Writer,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let id = format!("{AWAITED}{}", progress.recoveries.len());
    let recovery = recover(marker, id, &testbed.replicas, &mut progress.findings).await?;
    progress.recoveries.push(recovery);
    for node in testbed.processes.nodes.iter_mut().filter_map(|node| node.has_ended().then_some(node)) {
        progress.findings.other.push(format!("the node at {} ended by itself", node.address));
        node.wait_until_ready().await?;
    }
    let skipped = testbed.processes.skipped_events().await;
    if skipped > progress.skipped {
        progress.findings.lost.push(format!("{} events were skipped", skipped - progress.skipped));
    }
    progress.skipped = skipped;
    Ok(())
}

/// Waits until every replica is subscribed, since one that is not cannot show anything in time.
async fn wait_until_live(testbed: &Testbed, progress: &mut Progress) {
    let waiting = testbed.replicas.iter().map(async |replica| {
        let live = timeout(RECOVERY_LIMIT, replica.wait_until_live()).await;
        live.is_err().then(|| format!("{}: not live within {RECOVERY_LIMIT:?}", replica.name))
    });
    progress.findings.other.extend(join_all(waiting).await.into_iter().flatten());
}

/// Pushes a last notification whose events all get lost, so that no later event reveals the gap.
async fn push_without_live_events(testbed: &Testbed, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut last = writer(testbed, StdRng::seed_from_u64(seed));
    let work = async {
        last.push(format!("{AWAITED}last"), (0..USERS).collect(), "without live events").await;
        sleep(PUBLISH_TIME).await;
    };
    testbed.network.without_live_events(work, &mut rng).await;
}

fn report(
    line: &CommandLine,
    seed: u64,
    testbed: &Testbed,
    progress: Progress,
    [live, scheduled]: [Latencies; 2],
    entries: &Entries,
    inboxes: &[Inbox],
) -> Report {
    let pushes = || entries.pushes.values();
    let findings = progress.findings;
    Report {
        seed,
        seconds: line.seconds,
        database: line.database.name(),
        nodes: line.nodes,
        users: testbed.users.len(),
        replicas: testbed.replicas.len(),
        faults: progress.faults,
        pushes: Pushes {
            acknowledged: entries.pushes.len(),
            retried: pushes().filter(|push| push.exchange.attempts > 1).count(),
            notifications: pushes().map(|push| push.users.len()).sum(),
            taken_back: pushes().filter(|push| !push.exchange.survives(&entries.restores)).count(),
            kept: inboxes.iter().map(|inbox| inbox.rows.len()).sum(),
        },
        writes: entries.writes.iter().map(Vec::len).sum(),
        changes: inboxes.iter().map(|inbox| inbox.head.position.seq).sum(),
        lost: findings.lost.len(),
        twice: findings.twice.len(),
        wrong: findings.wrong.len(),
        announced_twice: findings.announced_twice.len(),
        late: findings.late.len(),
        latency: Latency { live, scheduled },
        left_out: if testbed.has_clocks() { Vec::new() } else { vec![fake_clock::MISSING] },
        longest_recovery: Recovery {
            milliseconds: progress.recoveries.iter().max().map_or(0, Duration::as_millis),
            of: progress.recoveries.len(),
            measured: MEASURED,
        },
        findings,
        evidence: None,
    }
}
