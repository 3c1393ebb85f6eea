use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// The tasks of a broker apart from those of its connections. None of them should panic.
#[derive(Debug, Default)]
pub(crate) struct Tasks(watch::Sender<Option<&'static str>>);

impl Tasks {
    /// Spawns a task that is reported under this name if it panics.
    pub(crate) fn spawn(
        &self,
        runtime: &Handle,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let report = ReportPanic { name, failed: self.0.clone() };
        runtime.spawn(async move {
            let _report = report;
            task.await;
        });
    }

    /// Waits until a task has panicked, and returns its name.
    pub(crate) fn failed(&self) -> impl Future<Output = &'static str> + Send + 'static {
        let mut failed = self.0.subscribe();
        async move {
            let name = failed.wait_for(Option::is_some).await.ok().and_then(|name| *name);
            match name {
                Some(name) => name,
                None => std::future::pending().await,
            }
        }
    }
}

struct ReportPanic {
    name: &'static str,
    failed: watch::Sender<Option<&'static str>>,
}

impl Drop for ReportPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.name, "a task of the broker panicked");
            self.failed.send_replace(Some(self.name));
        }
    }
}
