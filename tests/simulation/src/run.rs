use std::sync::Arc;
use std::time::Duration;

use turmoil::Sim;

use crate::bug::Bug;
use crate::plan::{DEVICES, Fault, PlannedPush, TROUBLE};
use crate::world::World;
use crate::{backend, check, device, network, server, task_ids, trace};

/// The outcome of one simulation.
#[derive(Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// A hash of the trace. The same seed gives the same hash.
    pub hash: u64,
    /// The log of the run, in order.
    pub trace: Vec<String>,
    /// Broken promises, described; empty if all were kept.
    pub problems: Vec<String>,
}

const TICK: Duration = Duration::from_millis(20);
/// How long recovery may take after the trouble. A dead connection that nobody noticed takes the
/// longest: the activity timeout, the wait for the pong, and the longest backoff.
const HEALING_TIME: Duration = Duration::from_secs(90);

/// Runs a seed, optionally with a planted bug.
pub fn run(seed: u64, bug: Option<Bug>) -> Outcome {
    task_ids::align();
    let world = Arc::new(World::new(seed, bug));
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(world.plan.latency)
        .simulation_duration(Duration::from_secs(3600))
        .tcp_capacity(4096)
        .build();
    hosts(&mut sim, &world);
    if let Err(error) = drive(&mut sim, &world) {
        world.seen().problem(sim.elapsed(), format_args!("a host failed: {error}"));
    }
    drop(sim);
    let lines = world.trace.lines();
    let problems = world.seen().problems.clone();
    Outcome { seed, hash: trace::hash(&lines), trace: lines, problems }
}

fn hosts(sim: &mut Sim<'_>, world: &Arc<World>) {
    let of = world.clone();
    sim.host(network::SERVER, move || server::run(of.clone()));
    for (index, (_, device)) in DEVICES.into_iter().enumerate() {
        let of = world.clone();
        sim.host(device, move || device::run(of.clone(), index));
    }
    let of = world.clone();
    sim.host(backend::BACKEND, move || backend::run(of.clone()));
}

fn drive(sim: &mut Sim<'_>, world: &Arc<World>) -> turmoil::Result {
    // The faults that still have to end, with their times.
    let mut ends: Vec<(Duration, Fault)> = Vec::new();
    for (at, fault) in &world.plan.faults {
        end_until(sim, world, &mut ends, *at)?;
        begin(sim, world, fault, &mut ends);
    }
    end_until(sim, world, &mut ends, TROUBLE)?;
    while let Some(end) = ends.iter().map(|(end, _)| *end).min() {
        end_until(sim, world, &mut ends, end)?;
    }
    world.seen().to_lose.clear();
    world.trace.note(sim.elapsed(), "world", "the trouble is over");
    heal(sim, world)?;
    lose_the_last_event(sim, world)?;
    // A dead connection may be noticed and replaced only now.
    heal(sim, world)?;
    check::everything(world, sim.elapsed());
    Ok(())
}

/// Runs until a moment, and ends the faults that end before it.
fn end_until(
    sim: &mut Sim<'_>,
    world: &World,
    ends: &mut Vec<(Duration, Fault)>,
    until: Duration,
) -> turmoil::Result {
    loop {
        let next = ends.iter().map(|(end, _)| *end).min().filter(|end| *end <= until);
        while sim.elapsed() < next.unwrap_or(until) {
            sim.step()?;
        }
        let Some(next) = next else { return Ok(()) };
        let due;
        (due, *ends) = std::mem::take(ends).into_iter().partition(|(end, _)| *end <= next);
        for (_, fault) in due {
            end(sim, world, &fault);
        }
    }
}

fn begin(sim: &mut Sim<'_>, world: &World, fault: &Fault, ends: &mut Vec<(Duration, Fault)>) {
    let now = sim.elapsed();
    world.trace.note(now, "world", format_args!("{fault:?}"));
    let duration = match fault {
        Fault::Partition(device, duration) => {
            sim.partition(network::SERVER, *device);
            *duration
        }
        Fault::Hold(device, duration) => {
            sim.hold(network::SERVER, *device);
            *duration
        }
        Fault::CrashServer(duration) | Fault::Restore(duration) => {
            if !sim.is_host_running(network::SERVER) {
                return;
            }
            sim.crash(network::SERVER);
            if matches!(fault, Fault::Restore(_)) {
                world.restore(now);
            }
            *duration
        }
        Fault::CrashDevice(device, duration) => {
            if !sim.is_host_running(*device) {
                return;
            }
            sim.crash(*device);
            world.seen().views.entry(device).or_default().crashed = true;
            *duration
        }
        Fault::Copy => return world.copy(now),
        Fault::Reset(device) => return world.resets[device].send_replace(()),
        Fault::Lose(user, events) => {
            world.seen().to_lose.insert((*user).to_owned(), *events);
            return;
        }
    };
    ends.push((now + duration, fault.clone()));
}

fn end(sim: &mut Sim<'_>, world: &World, fault: &Fault) {
    world.trace.note(sim.elapsed(), "world", format_args!("end of {fault:?}"));
    match fault {
        Fault::Partition(device, _) => sim.repair(network::SERVER, *device),
        Fault::Hold(device, _) => sim.release(network::SERVER, *device),
        Fault::CrashServer(_) | Fault::Restore(_) => sim.bounce(network::SERVER),
        Fault::CrashDevice(device, _) => sim.bounce(*device),
        Fault::Copy | Fault::Reset(_) | Fault::Lose(..) => {}
    }
}

/// Runs until every device is live and equals the server, at most for [`HEALING_TIME`].
fn heal(sim: &mut Sim<'_>, world: &Arc<World>) -> turmoil::Result {
    let until = sim.elapsed() + HEALING_TIME;
    loop {
        run_for(sim, Duration::from_secs(1))?;
        let diverged = check::diverged_devices(world);
        match diverged.is_empty() {
            true => return Ok(()),
            false if sim.elapsed() < until => {}
            false => {
                let mut seen = world.seen();
                diverged.iter().for_each(|device| seen.problem(sim.elapsed(), device));
                return Ok(());
            }
        }
    }
}

/// Pushes once more while everything is quiet and connected, and loses the live event. Every device
/// must show it within the position check's interval (G4).
fn lose_the_last_event(sim: &mut Sim<'_>, world: &Arc<World>) -> turmoil::Result {
    let last = PlannedPush::last();
    world.seen().to_lose.insert(last.users[0].to_owned(), 1);
    let pushing = world.clone();
    let (pushed, at) = (last.clone(), sim.elapsed());
    sim.client("last", async move {
        backend::push(&pushing, &pushed, at).await;
        Ok(())
    });
    // The extra time is for the answer, the check's own request, and the latency of both.
    run_for(sim, device::POSITION_CHECK + Duration::from_secs(1) + 12 * world.plan.latency)?;
    let mut seen = world.seen();
    for (user, device) in DEVICES.iter().filter(|(user, _)| last.users.contains(user)) {
        let has = seen.views.get(device).is_some_and(|view| view.shows(&last.id));
        if !has {
            seen.problem(
                sim.elapsed(),
                format_args!("{device} of {user} did not notice that the last event was lost"),
            );
        }
    }
    Ok(())
}

fn run_for(sim: &mut Sim<'_>, duration: Duration) -> turmoil::Result {
    let until = sim.elapsed() + duration;
    while sim.elapsed() < until {
        sim.step()?;
    }
    Ok(())
}
