use crate::support::binary;
use crate::support::server::{PATIENCE, token};
use crate::support::view::View;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

/// A running `tail --user USER --json`, whose lines are folded as they come; killed when dropped.
pub(crate) struct Tail {
    _process: Child,
    view: watch::Receiver<View>,
    stderr: Arc<Mutex<String>>,
}

impl Tail {
    pub(crate) fn of(user: &str, url: &str) -> Self {
        Self::with(user, url, &[])
    }

    /// With further variables.
    pub(crate) fn with(user: &str, url: &str, env: &[(&str, &str)]) -> Self {
        let token = token(user, &[]);
        let own = [("INTERNAL_NOTIFICATIONS_URL", url), ("INTERNAL_NOTIFICATIONS_TOKEN", &token)];
        let env = [&own, env].concat();
        let command = binary::command(&["tail", "--user", user, "--json", "--limit", "200"], &env);
        let mut command = Command::from(command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, view) = watch::channel(View::default());
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                let line = serde_json::from_str(&line).unwrap();
                sender.send_modify(|view| view.line(&line));
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

    pub(crate) async fn live(&mut self) {
        self.until("live", |view| view.status == "live").await;
    }

    /// Waits until the view is so.
    pub(crate) async fn until(&mut self, what: &str, is_so: impl Fn(&View) -> bool) {
        let stderr = self.stderr.clone();
        let told = |view: &View| {
            format!(
                "seq {} {} pending {} {} {}",
                view.seq,
                view.tag,
                view.pending,
                view.status,
                stderr.lock().unwrap()
            )
        };
        let waited = self.view.wait_for(|view| view.ended || is_so(view));
        let waited = tokio::time::timeout(PATIENCE, waited).await.is_ok_and(|view| view.is_ok());
        let view = self.view.borrow();
        assert!(waited, "never {what}: {}", told(&view));
        assert!(!view.ended || is_so(&view), "ended before {what}: {}", told(&view));
    }

    pub(crate) fn view(&self) -> watch::Ref<'_, View> {
        self.view.borrow()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}
