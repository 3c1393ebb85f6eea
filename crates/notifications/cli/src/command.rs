//! The commands, one file each.

mod backup;
mod broker;
mod demo;
mod open;
mod push;
mod retract;
mod serve;
mod sign;
mod tail;
mod token;

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use clap::Subcommand;
use tokio::runtime::Builder;

use crate::env::Env;
use crate::error::Error;
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Push(push::Push),
    Retract(retract::Retract),
    Tail(tail::Tail),
    Open(open::Open),
    Token(token::Token),
    Broker(broker::Broker),
    Backup(backup::Backup),
    Sign(sign::Sign),
}

impl Command {
    pub(crate) fn run(self, env: Env, output: &mut Output) -> Result<(), Error> {
        let runtime = Builder::new_multi_thread().worker_threads(self.workers()).enable_all().build();
        let runtime = runtime.map_err(|error| Error::failed(format!("cannot start: {error}")))?;
        let result = runtime.block_on(async {
            match self {
                Self::Serve(serve) => serve.run(env, output).await,
                Self::Demo(demo) => demo.run(&env, output).await,
                Self::Push(push) => push.run(&env, output).await,
                Self::Retract(retract) => retract.run(&env, output).await,
                Self::Tail(tail) => tail.run(&env).await,
                Self::Open(open) => open.run(&env, output).await,
                Self::Backup(backup) => backup.run(env, output).await,
                Self::Broker(broker) => broker.run(&env, output).await,
                Self::Token(token) => token.run(env, output).await,
                Self::Sign(sign) => sign.run(&env, output),
            }
        });
        // Does not wait for a task that blocks on writing to a pipe that nobody reads.
        runtime.shutdown_background();
        result
    }

    /// Returns the number of worker threads: as many as this process may use cores, since more only
    /// take the core from each other.
    fn workers(&self) -> usize {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        match self {
            // One may block on writing the output.
            Self::Tail(_) => cores.max(2),
            _ => cores,
        }
    }
}
