//! Compares the auth endpoint with a bare handler and with VaahFlutter's sample on Express. Each
//! server runs in its own process on one core, the load runs on the other, all in the same run.
//!
//! `(cd benches/auth/express && npm ci) && cargo bench -p benches --bench auth`

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for a terminal, with its own inputs"
)]

#[path = "../shared/arguments.rs"]
#[expect(dead_code, reason = "it has a single measurement")]
mod arguments;
mod bare;
#[path = "../shared/cores.rs"]
#[expect(dead_code, reason = "it opens few files")]
mod cores;
mod load;
mod ours;
mod peers;
#[path = "../shared/process.rs"]
mod process;

use std::process::ExitCode;
use std::time::Duration;

use arguments::Arguments;
use internal_notifications_models::Timestamp;
use internal_notifications_server::TokenIssuer;
use internal_notifications_server::config::RequiredClaims;
use load::Load;
use mimalloc::MiMalloc;
use peers::{Peer, cpu_seconds};
use process::Process;

/// The allocator of the command, for our server and for the bare one.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The secret that signs tokens.
const TOKEN_SECRET: &str = "a-secret-of-thirty-two-bytes-or-more";

fn main() -> ExitCode {
    let arguments = Arguments::read();
    match arguments.command() {
        Some("serve-ours") => ours::run(),
        Some("serve-bare") => bare::run(),
        _ => measure(arguments.is_bench_run()),
    }
}

fn measure(full: bool) -> ExitCode {
    if full && !cores::is_pinned() {
        return cores::run_pinned();
    }
    let (rounds, time) = if full { (5, Duration::from_secs(2)) } else { (1, Duration::from_millis(50)) };
    let day = Duration::from_secs(24 * 60 * 60);
    let issuer = TokenIssuer::new(TOKEN_SECRET, RequiredClaims::default());
    let token = issuer.mint(&"ada".parse().unwrap(), Timestamp::now(), day, false);
    let servers: Vec<(Peer, Process)> = Peer::all().into_iter().map(|peer| (peer, peer.start())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let [mut rates, mut costs, mut p99s] = [(); 3].map(|()| vec![Vec::new(); servers.len()]);
    runtime.block_on(async {
        for (_, server) in &servers {
            load::measure(server.address, &token, time / 4).await;
        }
        for _ in 0..rounds {
            for (index, (_, server)) in servers.iter().enumerate() {
                let before = cpu_seconds(server);
                let Load { rate, p99 } = load::measure(server.address, &token, time).await;
                rates[index].push(rate);
                costs[index].push((cpu_seconds(server) - before) / (rate * time.as_secs_f64()) * 1e6);
                p99s[index].push(p99);
            }
        }
    });
    println!("{} connections", load::CONNECTIONS);
    println!("           k requests/s  ours to it  processor µs a request  its to ours  p99 ms  ours to it");
    for (index, (peer, _)) in servers.iter().enumerate() {
        let [rate, cost, p99] = [&rates, &costs, &p99s].map(|figures| median(figures[index].clone()));
        let faster = median(ratios(&rates[0], &rates[index]));
        let cheaper = median(ratios(&costs[index], &costs[0]));
        let slower = median(ratios(&p99s[0], &p99s[index]));
        println!(
            "  {:<8} {:12.1}  {faster:10.2}  {cost:22.1}  {cheaper:11.2}  {p99:6.2}  {slower:10.2}",
            peer.name(),
            rate / 1e3
        );
    }
    ExitCode::SUCCESS
}

fn ratios(of: &[f64], to: &[f64]) -> Vec<f64> {
    of.iter().zip(to).map(|(of, to)| of / to).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
