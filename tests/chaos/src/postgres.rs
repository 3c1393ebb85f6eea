use crate::failure::Failure;
use crate::port;
use crate::program::Program;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a start may take, recovery included.
const START: Duration = Duration::from_secs(60);
/// PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// A PostgreSQL cluster of our own, on a free port; gone when dropped.
pub(crate) struct Postgres {
    address: SocketAddr,
    programs: PathBuf,
    server: Program,
    /// Removed when the processes have ended.
    _folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start(log: PathBuf) -> Result<Self, Failure> {
        let programs =
            programs().ok_or("there is no PostgreSQL: initdb is not in /usr/lib/postgresql/*/bin")?;
        let folder = tempfile::Builder::new().prefix("internal-notifications-postgres-").tempdir()?;
        let user = other_user()?;
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group))?;
        }
        let address = port::free()?;
        let data = folder.path().join("data").display().to_string();
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let init = ["-D", &data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
        let mut init = Program::new(programs.join("initdb"), words(&init), log.clone());
        init.user = user;
        init.start()?;
        init.end().await?;

        let (port, sockets) = (address.port().to_string(), folder.path().display().to_string());
        let args = ["-D", &data, "-p", &port, "-k", &sockets, "-c", "listen_addresses=127.0.0.1"];
        let mut server = Program::new(programs.join("postgres"), words(&args), log);
        server.user = user;
        let mut postgres = Self { address, programs, server, _folder: folder };
        postgres.start_again().await?;
        Ok(postgres)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.address)
    }

    /// An immediate shutdown: without a checkpoint, as in a crash.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        self.server.end_by("QUIT").await
    }

    /// Returns when it accepts connections.
    pub(crate) async fn start_again(&mut self) -> Result<(), Failure> {
        self.server.start()?;
        let started = Instant::now();
        let port = self.address.port().to_string();
        let mut ready = tokio::process::Command::new(self.programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", USER]);
        while !ready.status().await?.success() {
            if self.server.has_ended() || started.elapsed() > START {
                return Err(format!("PostgreSQL does not start: {}", self.server.log.display()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Postgres {
    /// Its other processes end with it, and leave the folder alone.
    fn drop(&mut self) {
        if let Some(id) = self.server.id() {
            let _ = Command::new("kill").args(["-QUIT", &id.to_string()]).status();
            while !self.server.has_ended() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path());
    let bins = versions.map(|version| version.join("bin")).filter(|bin| bin.join("initdb").exists());
    bins.max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Whom to run as: nobody else, unless we are root.
fn other_user() -> Result<Option<(u32, u32)>, Failure> {
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", USER])?, id(&["-g", USER])?)))
}

fn id(args: &[&str]) -> Result<u32, Failure> {
    let Output { stdout, .. } = Command::new("id").args(args).output()?;
    let told = String::from_utf8_lossy(&stdout);
    Ok(told.trim().parse().map_err(|_| format!("`id {}` names nobody", args.join(" ")))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_outlives_a_stop_and_is_gone_when_dropped() {
        if programs().is_none() {
            println!("skipped: it needs PostgreSQL's server programs");
            return;
        }
        let logs = tempfile::tempdir().unwrap();
        let mut postgres = Postgres::start(logs.path().join("log")).await.unwrap();
        let (folder, programs) = (postgres._folder.path().to_owned(), postgres.programs.clone());
        let (address, url) = (postgres.address, postgres.url());
        let psql = |sql: &str| {
            let mut command = Command::new(programs.join("psql"));
            let output = command.args(["-qtA", "-c", sql, &url]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        psql("CREATE TABLE kept AS SELECT 7 AS number");
        postgres.stop().await.unwrap();
        assert!(std::net::TcpStream::connect(address).is_err());
        postgres.start_again().await.unwrap();
        assert_eq!(psql("SELECT number FROM kept"), "7\n");
        drop(postgres);
        assert!(std::net::TcpStream::connect(address).is_err() && !folder.exists());
    }
}
