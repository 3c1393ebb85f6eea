use crate::support::binary;
use crate::support::server::{TIMEOUT, token};
use crate::support::view::View;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// A running `tail --user USER --json`. Its lines are folded into a [`View`] as they arrive. Killed
/// when dropped.
pub(crate) struct Tail {
    _process: Child,
    view: watch::Receiver<View>,
    stderr: Arc<Mutex<String>>,
}

impl Tail {
    /// Starts to tail a user's inbox.
    pub(crate) fn start(user: &str, url: &str) -> Self {
        Self::start_with(user, url, &[])
    }

    /// Starts to tail a user's inbox, with further environment variables.
    pub(crate) fn start_with(user: &str, url: &str, env: &[(&str, &str)]) -> Self {
        let token = token(user, &[]);
        let required = [("INTERNAL_NOTIFICATIONS_URL", url), ("INTERNAL_NOTIFICATIONS_TOKEN", &token)];
        let env = [&required, env].concat();
        let command = binary::command(&["tail", "--user", user, "--json", "--limit", "200"], &env);
        let mut command = Command::from(command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, view) = watch::channel(View::default());
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                let line = serde_json::from_str(&line).unwrap();
                sender.send_modify(|view| view.apply_line(&line));
            }
            sender.send_modify(|view| view.ended = true);
        });
        let (stderr, mut from) = (Arc::<Mutex<String>>::default(), process.stderr.take().unwrap());
        let text = stderr.clone();
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            while from.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                text.lock().unwrap().push_str(&String::from_utf8_lossy(&std::mem::take(&mut bytes)));
            }
        });
        Self { _process: process, view, stderr }
    }

    /// Waits until the client is live.
    pub(crate) async fn live(&mut self) {
        self.until("live", |view| view.status == "live").await;
    }

    /// Waits until the view meets a condition, which `what` names.
    pub(crate) async fn until(&mut self, what: &str, condition: impl Fn(&View) -> bool) {
        let stderr = self.stderr.clone();
        let description = |view: &View| {
            format!(
                "seq {} {} pending {} {} {}",
                view.seq,
                view.tag,
                view.pending,
                view.status,
                stderr.lock().unwrap()
            )
        };
        let waited = self.view.wait_for(|view| view.ended || condition(view));
        let waited = tokio::time::timeout(TIMEOUT, waited).await.is_ok_and(|view| view.is_ok());
        let view = self.view.borrow();
        assert!(waited, "never {what}: {}", description(&view));
        assert!(!view.ended || condition(&view), "ended before {what}: {}", description(&view));
    }

    pub(crate) fn view(&self) -> watch::Ref<'_, View> {
        self.view.borrow()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}
