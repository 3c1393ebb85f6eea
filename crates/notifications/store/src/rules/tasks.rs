use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The tasks of a store, none of which should panic.
#[derive(Debug, Default)]
pub(crate) struct Tasks(watch::Sender<Option<&'static str>>);

impl Tasks {
    /// Spawns a task that is reported under this name if it panics.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let report = ReportPanic { name, failed: self.0.clone() };
        tokio::spawn(async move {
            let _report = report;
            task.await;
        })
    }

    /// Waits until a task has panicked, and returns its name.
    pub(crate) async fn failed(&self) -> &'static str {
        let mut failed = self.0.subscribe();
        let name = failed.wait_for(Option::is_some).await.ok().and_then(|name| *name);
        match name {
            Some(name) => name,
            None => std::future::pending().await,
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
            tracing::error!(
                task = self.name,
                "a task of the store panicked; the store has to be opened again"
            );
            self.failed.send_replace(Some(self.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_panic_is_a_failure() {
        let tasks = Tasks::default();
        tasks.spawn("ends", async {}).await.unwrap();
        let aborted = tasks.spawn("is aborted", std::future::pending());
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        tasks.spawn("panics", async { panic!("planned") }).await.unwrap_err();
        assert_eq!(tasks.failed().await, "panics");
    }
}
