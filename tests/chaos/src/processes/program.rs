use crate::failure::Failure;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// A program that can be started several times. Its output is appended to a log. Killed when
/// dropped.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// The user and group ids to run as, if not those of this process.
    pub(crate) user: Option<(u32, u32)>,
    pub(crate) log: PathBuf,
    child: Option<Child>,
}

impl Program {
    /// Creates a program without starting it.
    pub(crate) fn new(path: impl Into<PathBuf>, args: Vec<String>, log: PathBuf) -> Self {
        Self { path: path.into(), args, env: Vec::new(), user: None, log, child: None }
    }

    pub(crate) fn start(&mut self) -> Result<(), Failure> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.path);
        command.args(&self.args).env_clear().envs(self.env.iter().cloned()).current_dir("/");
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let started = command.spawn();
        self.child = Some(started.map_err(|error| format!("cannot start {}: {error}", self.path.display()))?);
        Ok(())
    }

    /// Returns whether the process ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Kills the process (SIGKILL).
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Sends a signal, and waits until the process has ended.
    pub(crate) async fn stop_with(&mut self, signal: &str) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(id) = child.id() {
            Command::new("kill").args([format!("-{signal}"), id.to_string()]).status().await?;
        }
        child.wait().await?;
        Ok(())
    }

    /// Waits until the process has ended successfully.
    pub(crate) async fn wait_for_success(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        match child.wait().await? {
            status if status.success() => Ok(()),
            status => Err(format!("{}: {status}: {}", self.path.display(), self.log.display()).into()),
        }
    }

    /// Returns the process id while the process runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }
}
