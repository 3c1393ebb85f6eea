use std::io::Write;
use std::process::{Command, Output, Stdio};

/// The binary with nothing of this process's environment but these variables.
pub(crate) fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_internal-notifications"));
    command.args(args).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    command
}

/// What it did, run to its end.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(args: &[&str], env: &[(&str, &str)]) -> Ran {
    let Output { status, stdout, stderr } = command(args, env).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), stdout: text(stdout), stderr: text(stderr) }
}

impl Ran {
    /// It succeeded; this is its output.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "stderr: {}", self.stderr);
        self.stdout.trim_end()
    }

    /// It failed with this exit code and said so in one line, which is given back.
    #[track_caller]
    pub(crate) fn error(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "stdout: {} stderr: {}", self.stdout, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "one line: {}", self.stderr);
        assert!(self.stderr.starts_with("internal-notifications: "), "{}", self.stderr);
        self.stderr.trim_end()
    }

    /// Neither output holds this.
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
