use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use tempfile::TempDir;

use crate::command_runner::{Finished, command, run};

pub(crate) const API_KEY: &str = "an-api-key-that-is-32-bytes-long!";
pub(crate) const JWT_SECRET: &str = "a-jwt-secret-that-is-32-bytes-long";

/// A server process on a free port with a temporary database. Killed when dropped.
pub(crate) struct Server {
    process: Child,
    output: Vec<JoinHandle<String>>,
    pub(crate) url: String,
    folder: Option<TempDir>,
    database: String,
    env: Vec<(&'static str, String)>,
}

impl Server {
    /// Starts a server with an API key and a JWT secret.
    pub(crate) fn start() -> Self {
        let api_keys = format!("shop:{API_KEY}");
        Self::start_with(vec![
            ("INTERNAL_NOTIFICATIONS_API_KEYS", api_keys),
            ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET.to_owned()),
        ])
    }

    pub(crate) fn start_with(env: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}", folder.path().join("inbox.db").display());
        Self::listen("127.0.0.1:0", Some(folder), database, env)
    }

    fn listen(
        address: &str,
        folder: Option<TempDir>,
        database: String,
        env: Vec<(&'static str, String)>,
    ) -> Self {
        let variables: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let args = ["serve", "--listen", address, "--database", &database];
        let mut process =
            command(&args, &variables).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut printed = String::new();
        stdout.read_line(&mut printed).unwrap();
        let Some(url) = printed.trim().strip_prefix("listening on ").map(str::to_owned) else {
            process.kill().unwrap();
            process.wait().unwrap();
            panic!(
                "the server did not start: {printed} {}",
                read(process.stderr.take().unwrap()).join().unwrap()
            );
        };
        let output = vec![read(process.stderr.take().unwrap()), read(stdout)];
        Self { process, output, url, folder, database, env }
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// Kills the process (SIGKILL) and starts another on the same address and database.
    pub(crate) fn kill_and_restart(&mut self) {
        self.restart_after(|_| ());
    }

    /// Kills and restarts the server with another value of a variable.
    pub(crate) fn kill_and_restart_with(&mut self, name: &str, value: &str) {
        self.env.iter_mut().filter(|(set, _)| *set == name).for_each(|(_, set)| value.clone_into(set));
        self.kill_and_restart();
    }

    /// Kills and restarts the server, and calls `meanwhile` with its URL while it is down.
    pub(crate) fn restart_after<T>(&mut self, meanwhile: impl FnOnce(&str) -> T) -> T {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let done = meanwhile(&self.url);
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        *self = Self::listen(&address, self.folder.take(), self.database.clone(), self.env.clone());
        done
    }

    /// Sends SIGTERM. Returns the exit code and all output except the first line.
    pub(crate) fn terminate(mut self) -> (i32, String) {
        terminate(&self.process);
        let code = self.process.wait().unwrap().code().unwrap();
        (code, self.output.drain(..).map(|text| text.join().unwrap()).collect())
    }

    /// Sends SIGTERM until the process has ended, and returns its exit code.
    pub(crate) fn terminate_twice(mut self) -> i32 {
        loop {
            terminate(&self.process);
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code().unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }

    /// Issues a token of the user, with further arguments.
    pub(crate) fn token(&self, user: &str, args: &[&str]) -> String {
        let args = [&["token", "--user", user], args].concat();
        let ran = run(&args, &[("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET)]);
        ran.does_not_show(JWT_SECRET);
        ran.ok().to_owned()
    }

    /// Runs a command as the user.
    pub(crate) fn run_as(&self, token: &str, args: &[&str]) -> Finished {
        let env =
            [("INTERNAL_NOTIFICATIONS_URL", self.url.as_str()), ("INTERNAL_NOTIFICATIONS_TOKEN", token)];
        let ran = run(args, &env);
        ran.does_not_show(token);
        ran
    }

    /// Runs a command as the backend.
    pub(crate) fn run_as_backend(&self, args: &[&str]) -> Finished {
        let env =
            [("INTERNAL_NOTIFICATIONS_URL", self.url.as_str()), ("INTERNAL_NOTIFICATIONS_API_KEY", API_KEY)];
        let ran = run(args, &env);
        ran.does_not_show(API_KEY);
        ran
    }

    /// Pushes as the backend.
    pub(crate) fn push(&self, args: &[&str]) -> Finished {
        push(&self.url, args)
    }
}

pub(crate) fn push(url: &str, args: &[&str]) -> Finished {
    let env = [("INTERNAL_NOTIFICATIONS_URL", url), ("INTERNAL_NOTIFICATIONS_API_KEY", API_KEY)];
    let ran = run(&[&["push"], args].concat(), &env);
    ran.does_not_show(API_KEY);
    ran
}

pub(crate) fn terminate(process: &Child) {
    let status = std::process::Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    assert!(status.unwrap().success());
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        text
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
