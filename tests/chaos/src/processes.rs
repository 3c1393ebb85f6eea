pub(crate) mod database;
pub(crate) mod engine;
pub(crate) mod fake_clock;
pub(crate) mod node;
pub(crate) mod port;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod sqlite_file;

use crate::failure::Failure;
use crate::faults::{ProcessFault, random_millis};
use crate::load::ledger::Ledger;
use crate::processes::database::Database;
use crate::processes::engine::Engine;
use crate::processes::fake_clock::Offset;
use crate::processes::node::Node;
use crate::processes::program::Program;
use black_box_support::{Caller, Http};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The file name of the backup, in the database's folder.
const BACKUP: &str = "backup.db";

/// The processes under test.
pub(crate) struct Processes {
    pub(crate) nodes: Vec<Node>,
    pub(crate) engine: Option<Engine>,
    pub(crate) database: Database,
    /// The command that makes a backup.
    backup: Program,
    /// When the existing backup was started.
    backed_up: Option<Instant>,
}

impl Processes {
    /// Collects the processes. `binary` is the program with the command `backup`.
    pub(crate) fn new(
        database: Database,
        engine: Option<Engine>,
        nodes: Vec<Node>,
        binary: &Path,
        folder: &Path,
    ) -> Self {
        let to = folder.join(BACKUP).display().to_string();
        let args = ["backup", "--force", "--database", &database.url(), &to].map(str::to_owned);
        let backup = Program::new(binary, args.to_vec(), folder.join("backup.log"));
        Self { nodes, engine, database, backup, backed_up: None }
    }

    /// Injects a fault, and waits until all nodes are ready again. Returns the fault, which may be
    /// another one: without a backup a restore becomes a backup.
    pub(crate) async fn inject(
        &mut self,
        fault: ProcessFault,
        rng: &mut StdRng,
        ledger: &Ledger,
    ) -> Result<ProcessFault, Failure> {
        let fault = match fault {
            ProcessFault::DatabaseRestored if self.backed_up.is_none() => ProcessFault::DatabaseBackedUp,
            fault => fault,
        };
        let pause = random_millis(rng, 0..1500);
        match fault {
            ProcessFault::EngineKilled => {
                if let Some(engine) = &mut self.engine {
                    engine.kill().await?;
                    sleep(pause).await;
                    engine.restart().await?;
                }
            }
            ProcessFault::EngineUnauthorized => {
                if let Some(engine) = &self.engine {
                    engine.gate.refuse_all(true);
                    sleep(pause * 2).await;
                    engine.gate.refuse_all(false);
                }
            }
            ProcessFault::ClockFarOff => self.set_a_clock_wrong("400d", pause * 2, rng).await?,
            ProcessFault::PostgresStopped => {
                if let Database::Postgres(postgres) = &mut self.database {
                    postgres.stop().await?;
                    sleep(pause * 2).await;
                    postgres.restart().await?;
                }
            }
            ProcessFault::NodeKilled => {
                let one = rng.random_range(0..self.nodes.len());
                self.while_killed(Some(one), || Ok(()), pause).await?;
            }
            ProcessFault::AllNodesKilled => {
                self.while_killed(None, || Ok(()), pause).await?;
            }
            ProcessFault::DatabaseBackedUp => {
                let started = Instant::now();
                self.backup.start()?;
                self.backup.wait_for_success().await?;
                self.backed_up = Some(started);
            }
            ProcessFault::DatabaseRestored => {
                let (Database::Sqlite(file), Some(copied)) = (&self.database, self.backed_up) else {
                    return Ok(fault);
                };
                let file = file.clone();
                let restore = || {
                    sqlite_file::copy(&file.with_file_name(BACKUP), &file)?;
                    ledger.record_restore(copied);
                    Ok(())
                };
                self.while_killed(None, restore, pause).await?;
            }
        }
        for node in &mut self.nodes {
            node.wait_until_ready().await?;
        }
        Ok(fault)
    }

    /// Sets the clock of one node ahead for a while, then behind for as long, and right again.
    pub(crate) async fn set_a_clock_wrong(
        &self,
        by: &'static str,
        time: Duration,
        rng: &mut StdRng,
    ) -> Result<(), Failure> {
        let Some(node) = self.nodes.get(rng.random_range(0..self.nodes.len())) else { return Ok(()) };
        for offset in [Offset::Ahead(by), Offset::Behind(by)] {
            node.set_clock(offset)?;
            sleep(time).await;
        }
        node.set_clock(Offset::None)
    }

    /// Returns how many events the nodes skipped since their start because the engine refused them.
    pub(crate) async fn skipped_events(&self) -> u64 {
        const SKIPPED: &str = "internal_notifications_published_events_total{outcome=\"refused\"} ";
        let mut skipped = 0;
        for node in &self.nodes {
            let mut caller = Caller::new(Http::to(node.address).within(Duration::from_secs(1)), "");
            let Ok(answer) = caller.send("GET", "/metrics", &Value::Null).await else { continue };
            let text = String::from_utf8_lossy(&answer.body);
            let value = text.lines().find_map(|line| line.strip_prefix(SKIPPED));
            skipped += value.and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
        }
        skipped
    }

    /// Kills one node or all, does some work, and restarts them after a pause.
    async fn while_killed(
        &mut self,
        one: Option<usize>,
        work: impl FnOnce() -> Result<(), Failure>,
        pause: Duration,
    ) -> Result<(), Failure> {
        let is_selected = |at: usize| one.is_none_or(|one| one == at);
        for (_, node) in self.nodes.iter_mut().enumerate().filter(|(at, _)| is_selected(*at)) {
            node.kill().await?;
        }
        work()?;
        sleep(pause).await;
        for (_, node) in self.nodes.iter_mut().enumerate().filter(|(at, _)| is_selected(*at)) {
            node.restart().await?;
        }
        Ok(())
    }
}
