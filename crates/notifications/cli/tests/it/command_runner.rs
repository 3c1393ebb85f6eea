use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Returns a command that runs the binary with only these variables in its environment.
pub(crate) fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_internal-notifications"));
    command.args(args).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// The result of a command that has ended.
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Finished {
    let Output { status, stdout, stderr } = command(args, env).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Finished { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

impl Finished {
    /// Asserts success. Returns the output.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "stderr: {}", self.stderr);
        self.stdout.trim_end()
    }

    /// Asserts failure with this exit code and one line on stderr. Returns the line.
    #[track_caller]
    pub(crate) fn error(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "stdout: {} stderr: {}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "one line: {}", self.stderr);
        assert!(self.stderr.starts_with("internal-notifications: "), "{}", self.stderr);
        self.stderr.trim_end()
    }

    /// Asserts that neither output contains the secret.
    #[track_caller]
    pub(crate) fn does_not_show(&self, secret: &str) {
        assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "a secret was shown");
    }
}

pub(crate) fn env_file(lines: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(lines.as_bytes()).unwrap();
    file
}
