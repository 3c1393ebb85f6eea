use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use internal_notifications_models::UserId;
use internal_notifications_service::{Identity, ServiceError, ServiceErrorKind};
use tokio::sync::{Mutex, MutexGuard, watch};

/// Asks an [`Identity`] for the user at each `init`. A `dispose` in the meantime cancels it.
pub(crate) struct SignIn {
    identity: Option<Arc<dyn Identity>>,
    /// Held while the service starts or ends.
    lifecycle: Mutex<()>,
    /// The number of `dispose` calls that wait for [`Self::lifecycle`].
    disposing: watch::Sender<usize>,
}

impl SignIn {
    pub(crate) fn new(identity: Option<Arc<dyn Identity>>) -> Self {
        Self { identity, lifecycle: Mutex::default(), disposing: watch::Sender::default() }
    }

    /// Waits for other calls of `init` and `dispose`.
    pub(crate) async fn before_init(&self) -> MutexGuard<'_, ()> {
        self.lifecycle.lock().await
    }

    /// Cancels the sign-in of a running `init` and waits for its end.
    pub(crate) async fn before_dispose(&self) -> MutexGuard<'_, ()> {
        // Dropped with the future, and before an `init` that comes after this `dispose`.
        let _disposing = Disposing::new(&self.disposing);
        self.lifecycle.lock().await
    }

    /// Returns the user of the identity, or none if the service has no identity.
    pub(crate) async fn user(&self) -> Result<Option<UserId>, ServiceError> {
        let Some(identity) = &self.identity else { return Ok(None) };
        let mut disposing = self.disposing.subscribe();
        let disposed = pin!(disposing.wait_for(|calls| *calls > 0));
        match select(disposed, identity.identity(false)).await {
            Either::Left(_) => {
                Err(ServiceError::new(ServiceErrorKind::NotInitialized, "the service was disposed"))
            }
            Either::Right((credentials, _)) => Ok(Some(credentials?.user_id().clone())),
        }
    }
}

/// Counts a `dispose` call while it exists.
struct Disposing<'a>(&'a watch::Sender<usize>);

impl<'a> Disposing<'a> {
    fn new(calls: &'a watch::Sender<usize>) -> Self {
        calls.send_modify(|calls| *calls += 1);
        Self(calls)
    }
}

impl Drop for Disposing<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|calls| *calls -= 1);
    }
}
