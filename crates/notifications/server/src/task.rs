use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A running task of the server. Awaiting it waits for its end; dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct Task {
    handle: AbortOnDropHandle<()>,
    ended: CancellationToken,
}

impl Task {
    pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        let ended = CancellationToken::new();
        let report = ended.clone().drop_guard();
        let handle = tokio::spawn(async move {
            let _report = report;
            task.await;
        });
        Self { handle: AbortOnDropHandle::new(handle), ended }
    }

    /// Waits until the task has ended, for whatever reason.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + 'static {
        self.ended.clone().cancelled_owned()
    }
}

impl Future for Task {
    type Output = Result<(), JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.handle).poll(cx)
    }
}
