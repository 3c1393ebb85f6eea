use async_trait::async_trait;
use internal_notifications_models::{NotificationId, UserId};

use super::{PUSH_SCOPE, Principal};

/// Decides whether an identified caller may push, to whom, and under which ids.
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

    /// Checks whether the caller may choose this id for what it pushes. An id that the server
    /// generates is not checked.
    ///
    /// All senders share one namespace of ids, and an id belongs to whoever pushes it first. The
    /// default therefore permits any id to backends, and only UUIDs to app users: nobody can take
    /// the readable id of a notification that a backend is about to push. A policy that permits
    /// users more should confine them to ids that no backend uses, such as those with a prefix.
    ///
    /// # Errors
    /// Returns a [`Refusal`] if the caller may not use the id.
    async fn may_use_id(&self, caller: &Principal, id: &NotificationId) -> Result<(), Refusal> {
        match caller {
            Principal::User { .. } if !id.is_uuid() => Err(Refusal::Invalid(
                "the `id` of a notification that an app user pushes must be a UUID; \
                 leave it out to have one generated"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// Why a [`Policy`] did not permit a push.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The caller may not do this: 403. The text reaches the caller, as the problem's `detail`.
    #[error("{0}")]
    Forbidden(String),
    /// The push breaks a rule for this caller: 422. The text reaches the caller in the same way.
    #[error("{0}")]
    Invalid(String),
    /// The policy cannot decide now: 503. The text is only logged.
    #[error("{0}")]
    Unavailable(String),
}

/// The default policy: backends push to anyone under any id, app users only if their token has
/// [`PUSH_SCOPE`], and under UUIDs.
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
