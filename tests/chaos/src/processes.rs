pub(crate) mod database;
pub(crate) mod engine;
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
use crate::processes::node::Node;
use crate::processes::program::Program;
use rand::RngExt;
use rand::rngs::StdRng;
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
