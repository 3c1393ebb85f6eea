use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_models::UserId;
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::Identity;
use crate::api::TokenSource;

/// The tokens of one user, from `init` to `dispose`.
pub(crate) struct UserTokens {
    identity: Arc<dyn Identity>,
    user_id: UserId,
}

impl UserTokens {
    /// Gets the user from the identity.
    pub(crate) async fn of(identity: Arc<dyn Identity>) -> Result<Self, ServiceError> {
        let user_id = identity.identity(false).await?.user_id().clone();
        Ok(Self { identity, user_id })
    }

    pub(crate) fn user_id(&self) -> &UserId {
        &self.user_id
    }
}

#[async_trait]
impl TokenSource for UserTokens {
    async fn token(&self, fresh: bool) -> Result<String, ServiceError> {
        let credentials = self.identity.identity(fresh).await?;
        if *credentials.user_id() != self.user_id {
            return Err(ServiceError::new(
                ServiceErrorKind::Unauthorized,
                "the identity now names another user; call dispose before init to change the user",
            ));
        }
        Ok(credentials.token().to_owned())
    }
}
