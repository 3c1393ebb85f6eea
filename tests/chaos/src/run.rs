use crate::checks::check;
use crate::checks::findings::Findings;
use crate::checks::inbox::Inbox;
use crate::checks::recovery::{RECOVERY_LIMIT, recover};
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::faults::{NetworkFault, ProcessFault, ShuffleBag, random_millis};
use crate::load::ledger::{AWAITED, Entries};
use crate::load::retrying_client::RetryingClient;
use crate::load::user::User;
use crate::load::writer::Writer;
use crate::replica::Replica;
use crate::report::{MEASURED, Pushes, Recovery, Report};
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
    let writing = start_writing(&testbed, line.seconds, seed, &stopped);
    let mut progress = Progress::default();
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
    progress.findings.other.extend(entries.unexpected.iter().cloned());
    join_all(testbed.replicas.iter().map(Replica::dispose)).await;

    let mut report = report(line, seed, &testbed, progress, &entries, &inboxes);
    drop(testbed);
    report.evidence = (!report.is_clean()).then(|| folder.keep());
    Ok(report)
}

/// The faults, recoveries and findings so far.
#[derive(Default)]
struct Progress {
    faults: BTreeMap<&'static str, u32>,
    recoveries: Vec<Duration>,
    findings: Findings,
}

fn start_writing(testbed: &Testbed, seconds: u64, seed: u64, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    // A replica must be able to hold everything at the end, with a margin for chance.
    let most = USERS as f64 * MAX_WINDOW as f64 * 0.7 / RECIPIENTS / seconds as f64;
    let pause = Duration::from_secs_f64(WRITERS as f64 / PUSHES_A_SECOND.min(most));
    for number in 0..WRITERS {
        let writer = writer(testbed, StdRng::seed_from_u64(seed ^ (number as u64 + 1)));
        tasks.spawn(writer.run(format!("{number}"), pause, stopped.clone()));
    }
    for (number, token) in testbed.tokens.iter().enumerate() {
        let rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1000));
        let requests = RetryingClient::new(&testbed.fronts, token, rng);
        let user = User { number, requests, ledger: testbed.ledger.clone() };
        tasks.spawn(user.run(stopped.clone()));
    }
    tasks
}

fn writer(testbed: &Testbed, rng: StdRng) -> Writer {
    let requests = RetryingClient::new(&testbed.fronts, API_KEY, rng);
    Writer { requests, users: testbed.users.clone(), ledger: testbed.ledger.clone() }
}

/// Injects rounds of overlapping faults, and waits after each until every replica has recovered.
async fn inject_faults(
    testbed: &mut Testbed,
    time: Duration,
    seed: u64,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let (mut rng, mut network_rng) = (StdRng::seed_from_u64(seed), StdRng::seed_from_u64(!seed));
    let processes = &testbed.processes;
    let mut faults = ShuffleBag::new(ProcessFault::weighted(
        &processes.database,
        processes.nodes.len(),
        processes.engine.is_some(),
    ));
    let mut network_faults = ShuffleBag::new(NetworkFault::ALL.to_vec());
    let mut marker = writer(testbed, StdRng::seed_from_u64(seed));
    let begun = Instant::now();
    while begun.elapsed() < time {
        sleep(random_millis(&mut rng, 500..1500)).await;
        let (processes, ledger, network) = (&mut testbed.processes, &testbed.ledger, &testbed.network);
        let on_machines = async {
            let mut happened = Vec::new();
            for _ in 0..rng.random_range(1..3) {
                let Some(fault) = faults.draw(&mut rng) else { break };
                happened.push(processes.inject(fault, &mut rng, ledger).await?.name());
                sleep(random_millis(&mut rng, 0..1000)).await;
            }
            Ok::<_, Failure>(happened)
        };
        let on_network = async {
            let mut happened = Vec::new();
            for _ in 0..network_rng.random_range(1..4) {
                let Some(fault) = network_faults.draw(&mut network_rng) else { break };
                network.inject(fault, &mut network_rng).await;
                happened.push(fault.name());
                sleep(random_millis(&mut network_rng, 0..500)).await;
            }
            happened
        };
        let (on_machines, on_network) = tokio::join!(on_machines, on_network);
        for kind in on_machines?.into_iter().chain(on_network) {
            *progress.faults.entry(kind).or_default() += 1;
        }
        let id = format!("{AWAITED}{}", progress.recoveries.len());
        let recovery = recover(&mut marker, id, &testbed.replicas, &mut progress.findings).await?;
        progress.recoveries.push(recovery);
        for node in testbed.processes.nodes.iter_mut().filter_map(|node| node.has_ended().then_some(node)) {
            progress.findings.other.push(format!("the node at {} ended by itself", node.address));
            node.wait_until_ready().await?;
        }
    }
    Ok(())
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
        longest_recovery: Recovery {
            milliseconds: progress.recoveries.iter().max().map_or(0, Duration::as_millis),
            of: progress.recoveries.len(),
            measured: MEASURED,
        },
        findings,
        evidence: None,
    }
}
