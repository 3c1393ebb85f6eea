use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use black_box_support::Webhooks;
use futures_util::future::try_join_all;
use pusher_signer::Signer;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, interval_at, sleep};

use crate::broker::{Broker, raise_open_files};
use crate::command_line::CommandLine;
use crate::publishers::{PUBLISHERS, publish};
use crate::recorder::Recorder;
use crate::visitor::{Phase, Visitor};
use crate::webhooks::Reported;
use crate::world::{APP_KEY, APP_SECRET, Place, World};
use crate::{Failure, checks, order};

/// How often a tenth of the clients dies at once.
const DEATHS: Duration = Duration::from_secs(10);
/// How long the warm-up lasts at least.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long clients may take to settle, and the broker to release what they used.
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory in KiB by which a small process may differ from itself.
const NOISE: u64 = 4 * 1024;
/// Open files of the broker that are not connections of clients, at most.
const OTHER_FILES: usize = 100;

/// Runs a round to warm up, then the one that counts. Returns the number of findings.
pub(crate) async fn run(line: &CommandLine) -> Result<usize, Failure> {
    let connections = usize::from(line.connections);
    raise_open_files(u64::from(line.connections) + 200)?;
    let webhooks = Webhooks::start(Signer::new(APP_KEY, APP_SECRET), None).await;
    let mut broker = Broker::start(webhooks.address).await?;
    let world = Arc::new(World::new(broker.address, connections));

    let warm_up = WARM_UP.max(longest(connections)).min(Duration::from_secs(line.seconds));
    round(&world, &webhooks, &mut broker, warm_up).await?;
    let start = after_all_left(&broker, None).await;
    print(&format!("memory after a warm-up of {} s: {} KiB", warm_up.as_secs(), shown(start)));

    round(&world, &webhooks, &mut broker, Duration::from_secs(line.seconds)).await?;
    let end = after_all_left(&broker, start).await;
    print(&format!("memory after {} s: {} KiB", line.seconds, shown(end)));
    if start.zip(end).is_some_and(|(start, end)| end > limit(start)) {
        world.find("memory is not back to its start within a tenth");
    }
    if let Some(files) = broker.open_files().filter(|files| *files > OTHER_FILES) {
        world.find(&format!("{files} files are open after all have left"));
    }
    Ok(world.findings())
}

/// Lets all clients come and go for a time, settle, and leave, with checks after the last two.
async fn round(
    world: &Arc<World>,
    webhooks: &Webhooks,
    broker: &mut Broker,
    time: Duration,
) -> Result<(), Failure> {
    let recorder = Recorder::start(world.clone()).await?;
    let (published, all_published) = oneshot::channel();
    let recording = tokio::spawn(recorder.run(all_published));
    let is_stopped = Arc::new(AtomicBool::new(false));
    let publishing: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| tokio::spawn(publish(world.clone(), publisher, is_stopped.clone())))
        .collect();
    let (phase, phases) = watch::channel(Phase::Live(0));
    let connections = world.clients().count();
    let visiting: Vec<_> = (0..connections)
        .map(|number| {
            let (world, phase, longest) = (world.clone(), phases.clone(), longest(connections));
            tokio::spawn(Visitor { world, number, phase, longest }.run())
        })
        .collect();

    live(&phase, time, broker).await?;

    is_stopped.store(true, Ordering::Relaxed);
    let accepted = try_join_all(publishing).await?.into_iter().collect::<Result<Vec<_>, _>>()?;
    phase.send_replace(Phase::Settle);
    let _ = published.send(());
    let (recorded, recorder) = recording.await??;
    wait_until(|| world.clients().all(|(_, client)| client.is_settled)).await;
    let unsettled = world.clients().filter(|(_, client)| !client.is_settled).count();
    if unsettled > 0 {
        world.find(&format!("{unsettled} clients get no answer to a ping"));
    }
    let connected = world.clients().filter(|(_, client)| client.feed == Place::In).count();
    checks::compare(world, webhooks, true).await?;

    drop(recorder);
    phase.send_replace(Phase::Leave);
    let stays: Vec<_> = try_join_all(visiting).await?.into_iter().flatten().collect();
    checks::compare(world, webhooks, false).await?;
    order::check(world, &recorded, &accepted, &stays);
    broker.check()?;
    print(&format!(
        "{} s: {} connections, {connected} at the end, {} events published, {} received, {} webhook events",
        time.as_secs(),
        stays.len(),
        accepted.iter().flat_map(|feeds| feeds.values()).map(Vec::len).sum::<usize>(),
        stays.iter().map(|stay| stay.events.len()).sum::<usize>(),
        Reported::by(webhooks).events,
    ));
    Ok(())
}

/// Waits, and lets a tenth of the clients die at once now and then.
async fn live(phase: &watch::Sender<Phase>, time: Duration, broker: &mut Broker) -> Result<(), Failure> {
    let end = Instant::now() + time;
    let mut deaths = interval_at(Instant::now() + DEATHS, DEATHS);
    for number in 0.. {
        tokio::select! {
            _ = deaths.tick() => phase.send_replace(Phase::Live(number)),
            () = tokio::time::sleep_until(end) => break,
        };
        broker.check()?;
    }
    Ok(())
}

/// Returns how long a connection lasts at most: fewer than 200 come in a second.
fn longest(connections: usize) -> Duration {
    Duration::from_secs(u64::try_from(connections / 100).unwrap_or(u64::MAX).max(5))
}

/// Returns the least memory in KiB within some time, in which an allocator gives back what is free;
/// earlier if it is below the limit.
async fn after_all_left(broker: &Broker, start: Option<u64>) -> Option<u64> {
    let mut least = broker.memory()?;
    let started = Instant::now();
    let (target, patience) = match start {
        Some(start) => (limit(start), PATIENCE),
        None => (0, Duration::from_secs(10)),
    };
    while least > target && started.elapsed() < patience {
        sleep(Duration::from_millis(500)).await;
        least = least.min(broker.memory()?);
    }
    Some(least)
}

/// Returns the figure as text, or "unknown" where the system has none.
fn shown(memory: Option<u64>) -> String {
    memory.map_or_else(|| "unknown".to_owned(), |memory| memory.to_string())
}

/// A tenth more than at the start.
fn limit(start: u64) -> u64 {
    start + (start / 10).max(NOISE)
}

async fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() && started.elapsed() < PATIENCE {
        sleep(Duration::from_millis(50)).await;
    }
}

#[expect(clippy::print_stdout, reason = "the output of a command")]
fn print(line: &str) {
    println!("soak: {line}");
}
