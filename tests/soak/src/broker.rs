use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Failure;
use crate::world::{APP_ID, APP_KEY, APP_SECRET};

/// The command `broker`, with one destination of webhooks. Killed when dropped.
pub(crate) struct Broker {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Broker {
    pub(crate) async fn start(webhooks: SocketAddr) -> Result<Self, Failure> {
        let program = binary()?;
        let mut command = Command::new(&program);
        command.args(["broker", "--listen", "127.0.0.1:0", "--json", "--webhook"]);
        command.arg(format!("http://{webhooks}/")).env_clear().env("RUST_LOG", "warn");
        command.env("PUSHER_APP_ID", APP_ID).env("PUSHER_APP_KEY", APP_KEY);
        command.env("PUSHER_APP_SECRET", APP_SECRET);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let started = command.spawn();
        let mut child = started.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let output = child.stdout.take().ok_or("the broker has no output")?;
        let line = BufReader::new(output).lines().next_line().await?.ok_or("the broker ended")?;
        let line: Value = serde_json::from_str(&line)?;
        let url = line.get("url").and_then(Value::as_str).unwrap_or_default();
        Ok(Self { child, address: url.trim_start_matches("http://").trim_end_matches('/').parse()? })
    }

    /// Returns an error if the process has ended.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the broker ended: {status}").into()),
        }
    }

    /// Returns the resident memory in KiB, or `None` where the system has no `/proc`.
    pub(crate) fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Returns the number of open files, or `None` where the system has no `/proc`.
    pub(crate) fn open_files(&self) -> Option<usize> {
        Some(std::fs::read_dir(format!("/proc/{}/fd", self.child.id()?)).ok()?.count())
    }
}

/// Returns the server's program: `INTERNAL_NOTIFICATIONS_BIN`, or beside this program.
fn binary() -> Result<PathBuf, Failure> {
    match std::env::var_os("INTERNAL_NOTIFICATIONS_BIN") {
        Some(path) => Ok(path.into()),
        None => {
            let name = format!("internal-notifications{}", std::env::consts::EXE_SUFFIX);
            Ok(std::env::current_exe()?.with_file_name(name))
        }
    }
}

/// Raises this process's limit of open files as far as the system allows. The broker inherits it.
#[cfg(unix)]
pub(crate) fn raise_open_files(wanted: u64) -> Result<(), Failure> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if maximum.is_some_and(|maximum| maximum < wanted) {
        return Err(format!("this needs {wanted} open files, and the system allows {maximum:?}").into());
    }
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?)
}

/// Elsewhere a process has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_open_files(_: u64) -> Result<(), Failure> {
    Ok(())
}
