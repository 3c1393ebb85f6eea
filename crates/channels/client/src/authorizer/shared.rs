//! The traits for shared and boxed implementations, so that builders take either.

use std::sync::Arc;

use pusher_signer::{ChannelAuthorization, UserAuthentication};

use super::{
    AuthorizationError, AuthorizationRequest, Authorizer, UserAuthenticationRequest, UserAuthenticator,
};

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait::async_trait]
        impl<A: Authorizer + ?Sized> Authorizer for $pointer<A> {
            async fn authorize(
                &self,
                request: &AuthorizationRequest,
            ) -> Result<ChannelAuthorization, AuthorizationError> {
                (**self).authorize(request).await
            }
        }

        #[async_trait::async_trait]
        impl<A: UserAuthenticator + ?Sized> UserAuthenticator for $pointer<A> {
            async fn authenticate(
                &self,
                request: &UserAuthenticationRequest,
            ) -> Result<UserAuthentication, AuthorizationError> {
                (**self).authenticate(request).await
            }
        }
    )*};
}

forward!(Arc, Box);
