use pusher_signer::{ChannelAuthorization, Signer};

use super::{AuthorizationError, AuthorizationRequest, Authorizer};

/// Signs in this process. For backends and tests: it needs the app's secret, which no user's device may hold.
#[derive(Clone, Debug)]
pub struct SigningAuthorizer(Signer);

impl SigningAuthorizer {
    /// An authorizer that signs with `signer`.
    pub fn new(signer: Signer) -> Self {
        Self(signer)
    }
}

#[async_trait::async_trait]
impl Authorizer for SigningAuthorizer {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        self.0
            .authorize_channel(&request.socket_id, &request.channel, None)
            .map_err(|error| AuthorizationError::permanent(error.to_string()))
    }
}
