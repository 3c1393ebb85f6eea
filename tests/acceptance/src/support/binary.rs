use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Returns the path of the binary under test, and builds it first if need be.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| env::var_os("INTERNAL_NOTIFICATIONS_BIN").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    // Cargo set these variables for this test. They would make some build scripts run again.
    let is_of_this_test = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    env::vars().filter(|(name, _)| is_of_this_test(name)).for_each(|(name, _)| {
        cargo.env_remove(name);
    });
    cargo.args(["build", "--quiet", "--package", "internal-notifications-cli", "--message-format=json"]);
    let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success(), "the binary builds");
    let messages =
        built.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    let executable = |message: Value| message["executable"].as_str().map(PathBuf::from);
    messages.filter_map(executable).next_back().unwrap()
}

/// Returns a command for the binary whose environment holds these variables alone.
pub(crate) fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path());
    command.args(args).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// The result of a finished run.
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    let output = command(args, env).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Output {
    /// Asserts that the run succeeded, and returns its output.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, Some(0), "stderr: {}", self.stderr);
        self.stdout.trim_end()
    }

    /// Asserts that the run failed with this exit code and one line on stderr, and returns that
    /// line.
    #[track_caller]
    pub(crate) fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "stderr: {}", self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "more than one line: {}", self.stderr);
        self.stderr.trim_end()
    }
}
