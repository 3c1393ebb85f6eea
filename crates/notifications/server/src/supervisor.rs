use std::future::Future;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, select_all};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::task::Task;

/// Watches tasks that should run until the server stops. From when it is dropped, they may end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    /// The name of the first task that ended unexpectedly.
    failed: watch::Receiver<Option<String>>,
    stopping: CancellationToken,
    _task: Task,
}

/// The tasks for a [`Supervisor`].
#[derive(Default)]
pub(crate) struct Tasks(Vec<BoxFuture<'static, String>>);

impl Tasks {
    /// Adds a task. `ended` returns once the task has ended.
    pub(crate) fn add(&mut self, name: impl Into<String>, ended: impl Future<Output = ()> + Send + 'static) {
        let name = name.into();
        self.0.push(ended.map(|()| name).boxed());
    }

    /// Adds several tasks. `failed` returns the name of the first one that ended unexpectedly.
    pub(crate) fn add_all(&mut self, failed: impl Future<Output = String> + Send + 'static) {
        self.0.push(failed.boxed());
    }

    /// Starts to watch the tasks.
    pub(crate) fn supervise(self) -> Supervisor {
        let (report, failed) = watch::channel(None);
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let task = Task::spawn(async move {
            let never = std::future::pending().boxed();
            let first = select_all(self.0.into_iter().chain([never]));
            let first = stop.run_until_cancelled(first).await;
            // Once they are to stop, tasks may end before this one notices.
            let Some((name, ..)) = first.filter(|_| !stop.is_cancelled()) else { return };
            tracing::error!(task = name, "a task ended unexpectedly; the server has to be started again");
            report.send_replace(Some(name));
            // Keeps the report.
            stop.cancelled().await;
        });
        Supervisor { failed, stopping, _task: task }
    }
}

impl Supervisor {
    /// Expects the tasks to end from now on.
    pub(crate) fn stop(&self) {
        self.stopping.cancel();
    }

    /// Waits until a task has ended unexpectedly, and returns its name. Waits for ever if none
    /// does.
    pub(crate) fn failed(&self) -> impl Future<Output = String> + Send + 'static {
        let mut failed = self.failed.clone();
        async move {
            let name = failed.wait_for(Option::is_some).await.ok().and_then(|name| name.clone());
            match name {
                Some(name) => name,
                None => std::future::pending().await,
            }
        }
    }

    /// Returns a function that reports the failure, if there was one, to anyone who may ask.
    pub(crate) fn problem(&self) -> impl Fn() -> Option<String> + Send + Sync + 'static {
        let failed = self.failed.clone();
        // The name may contain the address of a database; the log shows it.
        move || failed.borrow().is_some().then(|| "a task of the server ended unexpectedly".to_owned())
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop();
    }
}
