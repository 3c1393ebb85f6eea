use async_trait::async_trait;
use internal_notifications_models::UserId;

use super::{PUSH_SCOPE, Principal};

/// Decides whether an identified caller may push.
#[async_trait]
pub trait Policy: Send + Sync + 'static {
    /// Checks whether the caller may push to anyone at all. Runs before the body of a push is read,
    /// so that callers without permission cannot make the server read large bodies.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the caller may push to nobody. The default permits everyone.
    async fn may_push(&self, caller: &Principal) -> Result<(), Refusal> {
        let _ = caller;
        Ok(())
    }

    /// Checks whether the caller may push to all of these users. Each is listed once, sorted by id.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the caller may not. Nothing is pushed then, to none of them.
    async fn may_push_to(&self, caller: &Principal, user_ids: &[UserId]) -> Result<(), Refusal>;
}

/// Why a [`Policy`] did not permit a push.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The caller may not do this: 403. The text reaches the caller, as the problem's `detail`.
    #[error("{0}")]
    Forbidden(String),
    /// The policy cannot decide now: 503. The text is only logged.
    #[error("{0}")]
    Unavailable(String),
}

/// The default policy: backends push to anyone, app users only if their token has [`PUSH_SCOPE`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PushScope;

#[async_trait]
impl Policy for PushScope {
    async fn may_push(&self, caller: &Principal) -> Result<(), Refusal> {
        match caller {
            Principal::User { may_push: false, .. } => Err(Refusal::Forbidden(format!(
                "pushing needs an API key, or a token with the scope {PUSH_SCOPE}"
            ))),
            _ => Ok(()),
        }
    }

    async fn may_push_to(&self, caller: &Principal, _: &[UserId]) -> Result<(), Refusal> {
        self.may_push(caller).await
    }
}
