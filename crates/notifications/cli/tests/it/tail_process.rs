use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command_runner::command;

/// How long a test waits for a line.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// A running `tail`, killed when dropped.
pub(crate) struct Tail {
    pub(crate) process: Child,
    lines: Option<Receiver<String>>,
    /// All lines so far.
    pub(crate) seen: Vec<String>,
}

/// Starts `tail --user USER` with further arguments.
pub(crate) fn tail(url: &str, user: &str, token: &str, args: &[&str]) -> Tail {
    let (process, stdout) = spawn_tail(url, user, token, args);
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    Tail { process, lines: Some(lines), seen: Vec::new() }
}

pub(crate) fn spawn_tail(url: &str, user: &str, token: &str, args: &[&str]) -> (Child, ChildStdout) {
    let env = [("INTERNAL_NOTIFICATIONS_URL", url), ("INTERNAL_NOTIFICATIONS_TOKEN", token)];
    let args = [&["tail", "--user", user], args].concat();
    // One worker thread, as on a machine with one CPU.
    let mut command = command(&args, &env);
    let mut process = command
        .env("TOKIO_WORKER_THREADS", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = process.stdout.take().unwrap();
    (process, stdout)
}

impl Tail {
    /// Returns the next line of this type.
    #[track_caller]
    pub(crate) fn until(&mut self, kind: &str) -> Value {
        self.until_json(|line| line["type"] == kind)
    }

    #[track_caller]
    pub(crate) fn until_live(&mut self) {
        self.until_json(|line| line["type"] == "status" && line["status"] == "live");
    }

    #[track_caller]
    pub(crate) fn until_json(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let line = self.until_line(|line| wanted(&serde_json::from_str(line).unwrap()));
        serde_json::from_str(&line).unwrap()
    }

    #[track_caller]
    pub(crate) fn until_line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.as_ref().unwrap().recv_timeout(left) else {
                let _ = self.process.kill();
                let stderr = self.stderr();
                panic!("no such line among {:#?}; stderr: {stderr}", self.seen);
            };
            self.seen.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Returns the next line on stderr.
    pub(crate) fn stderr_line(&mut self) -> String {
        let stderr = self.process.stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while stderr.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// Waits for the process to end. Returns the exit code and stderr.
    pub(crate) fn end(&mut self) -> (i32, String) {
        let code = self.process.wait().unwrap().code().unwrap();
        for line in self.lines.take().unwrap() {
            self.seen.push(line);
        }
        (code, self.stderr())
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Returns all JSON lines of this type so far.
    pub(crate) fn all(&self, kind: &str) -> Vec<Value> {
        let lines = self.seen.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["type"] == kind).collect()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
