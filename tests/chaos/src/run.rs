use crate::check::check;
use crate::command_line::CommandLine;
use crate::failure::Failure;
use crate::fault::{Bag, Fault, LineFault, millis};
use crate::findings::Findings;
use crate::inbox::Inbox;
use crate::ledger::{AWAITED, Entries};
use crate::persistent::Persistent;
use crate::recovery::{BOUND, recover};
use crate::replica::Replica;
use crate::report::{MEASURED, Pushes, Recovery, Report};
use crate::scene::{API_KEY, Scene, USERS};
use crate::user::User;
use crate::writer::Writer;
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
const PUBLISHED: Duration = Duration::from_secs(1);
/// What a push makes on average: see the writer.
const RECIPIENTS: f64 = 2.0;

/// Starts everything, lets it suffer, heals it, and compares.
pub(crate) async fn run(line: &CommandLine) -> Result<Report, Failure> {
    let seed = line.seed.unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let run = format!("{:x}", rand::rng().random::<u32>());
    let folder = tempfile::Builder::new().prefix("internal-notifications-chaos-").tempdir()?;
    let mut scene = Scene::start(line, folder.path(), &run).await?;

    let (stop, stopped) = watch::channel(false);
    let writing = start_writing(&scene, line.seconds, seed, &stopped);
    let mut story = Story::default();
    let suffered = suffer(&mut scene, Duration::from_secs(line.seconds), seed, &mut story).await;
    stop.send_replace(true);
    if let Err(failure) = suffered {
        return Err(format!("{failure}; logs: {}", folder.keep().display()).into());
    }
    if timeout(BOUND, writing.join_all()).await.is_err() {
        story.findings.other.push(format!("a push or write is not answered within {BOUND:?}"));
    }
    push_unheard(&scene, seed).await;
    let entries = scene.ledger.take();
    let (found, inboxes) = check(&scene, &entries).await;
    story.findings.add(found);
    story.findings.other.extend(entries.refused.iter().cloned());
    join_all(scene.replicas.iter().map(Replica::end)).await;

    let mut report = report(line, seed, &scene, story, &entries, &inboxes);
    drop(scene);
    report.evidence = (!report.is_flawless()).then(|| folder.keep());
    Ok(report)
}

/// What happened so far.
#[derive(Default)]
struct Story {
    faults: BTreeMap<&'static str, u32>,
    recoveries: Vec<Duration>,
    findings: Findings,
}

fn start_writing(scene: &Scene, seconds: u64, seed: u64, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    // A replica must be able to hold everything in the end, with room for chance.
    let most = USERS as f64 * MAX_WINDOW as f64 * 0.7 / RECIPIENTS / seconds as f64;
    let pause = Duration::from_secs_f64(WRITERS as f64 / PUSHES_A_SECOND.min(most));
    for number in 0..WRITERS {
        let writer = writer(scene, StdRng::seed_from_u64(seed ^ (number as u64 + 1)));
        tasks.spawn(writer.run(format!("{number}"), pause, stopped.clone()));
    }
    for (number, token) in scene.tokens.iter().enumerate() {
        let rng = StdRng::seed_from_u64(seed ^ (number as u64 + 1000));
        let requests = Persistent::new(&scene.fronts, token, rng);
        let user = User { number, requests, ledger: scene.ledger.clone() };
        tasks.spawn(user.run(stopped.clone()));
    }
    tasks
}

fn writer(scene: &Scene, rng: StdRng) -> Writer {
    let requests = Persistent::new(&scene.fronts, API_KEY, rng);
    Writer { requests, users: scene.users.clone(), ledger: scene.ledger.clone() }
}

/// Rounds of overlapping faults; after each everything is whole until every replica has recovered.
async fn suffer(scene: &mut Scene, time: Duration, seed: u64, story: &mut Story) -> Result<(), Failure> {
    let (mut rng, mut line_rng) = (StdRng::seed_from_u64(seed), StdRng::seed_from_u64(!seed));
    let machines = &scene.machines;
    let mut faults = Bag::new(Fault::of(&machines.database, machines.nodes.len(), machines.engine.is_some()));
    let mut line_faults = Bag::new(LineFault::ALL.to_vec());
    let mut marker = writer(scene, StdRng::seed_from_u64(seed));
    let begun = Instant::now();
    while begun.elapsed() < time {
        sleep(millis(&mut rng, 500..1500)).await;
        let (machines, ledger, lines) = (&mut scene.machines, &scene.ledger, &scene.lines);
        let on_machines = async {
            let mut happened = Vec::new();
            for _ in 0..rng.random_range(1..3) {
                let Some(fault) = faults.draw(&mut rng) else { break };
                happened.push(machines.suffer(fault, &mut rng, ledger).await?.name());
                sleep(millis(&mut rng, 0..1000)).await;
            }
            Ok::<_, Failure>(happened)
        };
        let on_lines = async {
            let mut happened = Vec::new();
            for _ in 0..line_rng.random_range(1..4) {
                let Some(fault) = line_faults.draw(&mut line_rng) else { break };
                lines.suffer(fault, &mut line_rng).await;
                happened.push(fault.name());
                sleep(millis(&mut line_rng, 0..500)).await;
            }
            happened
        };
        let (on_machines, on_lines) = tokio::join!(on_machines, on_lines);
        for kind in on_machines?.into_iter().chain(on_lines) {
            *story.faults.entry(kind).or_default() += 1;
        }
        let id = format!("{AWAITED}{}", story.recoveries.len());
        let recovery = recover(&mut marker, id, &scene.replicas, &mut story.findings).await?;
        story.recoveries.push(recovery);
        for node in scene.machines.nodes.iter_mut().filter_map(|node| node.has_ended().then_some(node)) {
            story.findings.other.push(format!("the node at {} ended by itself", node.address));
            node.ready().await?;
        }
    }
    Ok(())
}

/// The very last events are lost, and none comes after them.
async fn push_unheard(scene: &Scene, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut last = writer(scene, StdRng::seed_from_u64(seed));
    let work = async {
        last.push(format!("{AWAITED}last"), (0..USERS).collect(), "unheard").await;
        sleep(PUBLISHED).await;
    };
    scene.lines.unheard(work, &mut rng).await;
}

fn report(
    line: &CommandLine,
    seed: u64,
    scene: &Scene,
    story: Story,
    entries: &Entries,
    inboxes: &[Inbox],
) -> Report {
    let pushes = || entries.pushes.values();
    let findings = story.findings;
    Report {
        seed,
        seconds: line.seconds,
        database: line.database.name(),
        nodes: line.nodes,
        users: scene.users.len(),
        replicas: scene.replicas.len(),
        faults: story.faults,
        pushes: Pushes {
            acknowledged: entries.pushes.len(),
            retried: pushes().filter(|push| push.sent.attempts > 1).count(),
            notifications: pushes().map(|push| push.users.len()).sum(),
            taken_back: pushes().filter(|push| !push.sent.outlives(&entries.restores)).count(),
            kept: inboxes.iter().map(|inbox| inbox.rows.len()).sum(),
        },
        writes: entries.writes.iter().map(Vec::len).sum(),
        changes: inboxes.iter().map(|inbox| inbox.head.position.seq).sum(),
        lost: findings.lost.len(),
        twice: findings.twice.len(),
        wrong: findings.wrong.len(),
        announced_twice: findings.announced_twice.len(),
        longest_recovery: Recovery {
            milliseconds: story.recoveries.iter().max().map_or(0, Duration::as_millis),
            of: story.recoveries.len(),
            measured: MEASURED,
        },
        findings,
        evidence: None,
    }
}
