use crate::database::Database;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::fault::{Fault, millis};
use crate::ledger::Ledger;
use crate::node::Node;
use crate::sqlite_file;
use rand::RngExt;
use rand::rngs::StdRng;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The programs that run, and what happens to them.
pub(crate) struct Machines {
    pub(crate) nodes: Vec<Node>,
    pub(crate) engine: Option<Engine>,
    pub(crate) database: Database,
    /// A copy of the database's file: where, and when it was begun.
    copy: Option<(PathBuf, Instant)>,
}

impl Machines {
    pub(crate) fn new(database: Database, engine: Option<Engine>, nodes: Vec<Node>) -> Self {
        Self { nodes, engine, database, copy: None }
    }

    /// It happens, and is over when this returns: all nodes are ready. What happened, which may be another fault.
    pub(crate) async fn suffer(
        &mut self,
        fault: Fault,
        rng: &mut StdRng,
        ledger: &Ledger,
    ) -> Result<Fault, Failure> {
        // There must be a copy first.
        let fault = match fault {
            Fault::DatabaseRestored if self.copy.is_none() => Fault::DatabaseCopied,
            fault => fault,
        };
        let begun = Instant::now();
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
            Fault::DatabaseCopied | Fault::DatabaseRestored => {
                let Database::Sqlite(file) = &self.database else { return Ok(fault) };
                let (file, copy) = (file.clone(), file.with_file_name("copy.db"));
                if let (Fault::DatabaseRestored, Some((_, copied))) = (fault, &self.copy) {
                    let copied = *copied;
                    let restore = || {
                        sqlite_file::copy(&copy, &file)?;
                        ledger.restored(copied);
                        Ok(())
                    };
                    self.while_killed(None, restore, pause).await?;
                } else {
                    self.while_killed(None, || Ok(sqlite_file::copy(&file, &copy)?), pause).await?;
                    self.copy = Some((copy, begun));
                }
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
