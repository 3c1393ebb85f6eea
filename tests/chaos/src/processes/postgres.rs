use crate::failure::Failure;
use crate::processes::port;
use crate::processes::program::Program;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long a start may take, including recovery.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// PostgreSQL refuses to run as root.
const USER: &str = "postgres";

/// A new PostgreSQL cluster on a free port. Stopped and removed when dropped.
pub(crate) struct Postgres {
    address: SocketAddr,
    programs: PathBuf,
    server: Program,
    /// Removed after the processes have ended.
    _folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start(log: PathBuf) -> Result<Self, Failure> {
        let programs =
            programs().ok_or("PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin")?;
        let folder = tempfile::Builder::new().prefix("internal-notifications-postgres-").tempdir()?;
        let user = unprivileged_user()?;
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
        init.wait_for_success().await?;

        let (port, sockets) = (address.port().to_string(), folder.path().display().to_string());
        let args = ["-D", &data, "-p", &port, "-k", &sockets, "-c", "listen_addresses=127.0.0.1"];
        let mut server = Program::new(programs.join("postgres"), words(&args), log);
        server.user = user;
        let mut postgres = Self { address, programs, server, _folder: folder };
        postgres.restart().await?;
        Ok(postgres)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@{}/postgres", self.address)
    }

    /// Stops PostgreSQL immediately, without a checkpoint, as in a crash.
    pub(crate) async fn stop(&mut self) -> Result<(), Failure> {
        self.server.stop_with("QUIT").await
    }

    /// Starts PostgreSQL, and waits until it accepts connections.
    pub(crate) async fn restart(&mut self) -> Result<(), Failure> {
        self.server.start()?;
        let started = Instant::now();
        let port = self.address.port().to_string();
        let mut ready = tokio::process::Command::new(self.programs.join("pg_isready"));
        ready.args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", USER]);
        while !ready.status().await?.success() {
            if self.server.has_ended() || started.elapsed() > START_TIMEOUT {
                return Err(format!("PostgreSQL does not start: {}", self.server.log.display()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Postgres {
    /// Waits until the server has ended, since its processes still use the folder.
    fn drop(&mut self) {
        if let Some(id) = self.server.id() {
            let _ = Command::new("kill").args(["-QUIT", &id.to_string()]).status();
            while !self.server.has_ended() {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// Returns the folder with the programs of the newest PostgreSQL.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path());
    let bins = versions.map(|version| version.join("bin")).filter(|bin| bin.join("initdb").exists());
    bins.max_by_key(|bin| version(bin))
}

fn version(bin: &Path) -> Option<u32> {
    bin.parent()?.file_name()?.to_str()?.parse().ok()
}

/// Returns the user and group to run PostgreSQL as, if this process is root.
fn unprivileged_user() -> Result<Option<(u32, u32)>, Failure> {
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", USER])?, id(&["-g", USER])?)))
}

fn id(args: &[&str]) -> Result<u32, Failure> {
    let Output { stdout, .. } = Command::new("id").args(args).output()?;
    let text = String::from_utf8_lossy(&stdout);
    Ok(text.trim().parse().map_err(|_| format!("`id {}` returned no number", args.join(" ")))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_survives_a_stop_and_is_removed_when_dropped() {
        if programs().is_none() {
            println!("skipped, since PostgreSQL's server programs are missing");
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
        postgres.restart().await.unwrap();
        assert_eq!(psql("SELECT number FROM kept"), "7\n");
        drop(postgres);
        assert!(std::net::TcpStream::connect(address).is_err() && !folder.exists());
    }
}
