use crate::database::Database;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::fault::{Fault, millis};
use crate::ledger::Ledger;
use crate::node::Node;
use crate::program::Program;
use crate::sqlite_file;
use rand::RngExt;
use rand::rngs::StdRng;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The file of the backup, beside the database.
const BACKUP: &str = "backup.db";

/// The programs that run, and what happens to them.
pub(crate) struct Machines {
    pub(crate) nodes: Vec<Node>,
    pub(crate) engine: Option<Engine>,
    pub(crate) database: Database,
    /// Makes the backup.
    backup: Program,
    /// When the backup that is there was begun.
    backed_up: Option<Instant>,
}

impl Machines {
    /// `binary` has the command `backup`.
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

    /// It happens, and is over when this returns: all nodes are ready. What happened, which may be another fault.
    pub(crate) async fn suffer(
        &mut self,
        fault: Fault,
        rng: &mut StdRng,
        ledger: &Ledger,
    ) -> Result<Fault, Failure> {
        // There must be a backup first.
        let fault = match fault {
            Fault::DatabaseRestored if self.backed_up.is_none() => Fault::DatabaseBackedUp,
            fault => fault,
        };
        let pause = millis(rng, 0..1500);
        match fault {
            Fault::EngineKilled => {
                if let Some(engine) = &mut self.engine {
                    engine.kill().await?;
                    sleep(pause).await;
                    engine.start_again().await?;
                }
            }
            Fault::PostgresStopped => {
                if let Database::Postgres(postgres) = &mut self.database {
                    postgres.stop().await?;
                    sleep(pause * 2).await;
                    postgres.start_again().await?;
                }
            }
            Fault::NodeKilled => {
                let one = rng.random_range(0..self.nodes.len());
                self.while_killed(Some(one), || Ok(()), pause).await?;
            }
            Fault::AllNodesKilled => {
                self.while_killed(None, || Ok(()), pause).await?;
            }
            Fault::DatabaseBackedUp => {
                let begun = Instant::now();
                self.backup.start()?;
                self.backup.end().await?;
                self.backed_up = Some(begun);
            }
            Fault::DatabaseRestored => {
                let (Database::Sqlite(file), Some(copied)) = (&self.database, self.backed_up) else {
                    return Ok(fault);
                };
                let file = file.clone();
                let restore = || {
                    sqlite_file::copy(&file.with_file_name(BACKUP), &file)?;
                    ledger.restored(copied);
                    Ok(())
                };
                self.while_killed(None, restore, pause).await?;
            }
        }
        for node in &mut self.nodes {
            node.ready().await?;
        }
        Ok(fault)
    }

    /// Kills one node or all, does this, and starts them again after a pause.
    async fn while_killed(
        &mut self,
        one: Option<usize>,
        work: impl FnOnce() -> Result<(), Failure>,
        pause: Duration,
    ) -> Result<(), Failure> {
        let is_meant = |at: usize| one.is_none_or(|one| one == at);
        for (_, node) in self.nodes.iter_mut().enumerate().filter(|(at, _)| is_meant(*at)) {
            node.kill().await?;
        }
        work()?;
        sleep(pause).await;
        for (_, node) in self.nodes.iter_mut().enumerate().filter(|(at, _)| is_meant(*at)) {
            node.start_again().await?;
        }
        Ok(())
    }
}
