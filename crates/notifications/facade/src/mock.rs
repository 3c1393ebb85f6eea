use std::sync::Arc;

use internal_notifications_mock::MockHub;
use internal_notifications_models::UserId;
use internal_notifications_service::{InternalNotificationsService, ServiceError, ServiceErrorKind};

use crate::InternalNotificationsBuilder;
use crate::env::{USER_ID, wrong};

/// For the service `mock`.
impl InternalNotificationsBuilder {
    /// The hub of the mock: its inboxes, its backend, its clock. Without it every handle has a hub of its own, where nobody else is.
    pub fn hub(mut self, hub: MockHub) -> Self {
        self.hub = Some(hub);
        self
    }

    pub(crate) fn mock_service(self) -> Result<Arc<dyn InternalNotificationsService>, ServiceError> {
        let hub = self.hub.clone().unwrap_or_default();
        #[cfg(feature = "pusher")]
        if let Some(identity) = self.pusher.identity.clone() {
            let mock = self.mock_on(&hub, "nobody yet");
            return Ok(Arc::new(crate::identified_mock::IdentifiedMock::new(mock, identity)));
        }
        Ok(Arc::new(self.mock_on(&hub, self.user_of_mock()?.as_str())))
    }

    fn mock_on(&self, hub: &MockHub, user: &str) -> internal_notifications_mock::MockService {
        let mut builder = hub.service_builder(user);
        if let Some(notifications) = self.inbox.window {
            builder = builder.window(notifications);
        }
        if let Some(choice) = self.inbox.offline_push {
            builder = builder.offline_push(choice);
        }
        if let Some(interval) = self.inbox.position_check {
            builder = builder.position_check(interval);
        }
        builder.build()
    }

    fn user_of_mock(&self) -> Result<UserId, ServiceError> {
        #[cfg(feature = "pusher")]
        if let Some((user_id, _)) = &self.pusher.user {
            return Ok(user_id.clone());
        }
        if let Some(user_id) = &self.inbox.user_id {
            return Ok(user_id.clone());
        }
        if let Some(user_id) = self.env.get(USER_ID) {
            return UserId::new(user_id).map_err(|rule| wrong(USER_ID, &rule));
        }
        #[cfg(feature = "pusher")]
        if let Some(token) = self.env.get(crate::pusher::TOKEN) {
            let credentials = crate::Credentials::from_token(token);
            let credentials = credentials.map_err(|error| wrong(crate::pusher::TOKEN, &error))?;
            return Ok(credentials.user_id().clone());
        }
        Err(ServiceError::new(
            ServiceErrorKind::Configuration,
            "nobody says who the user of the mock is: set INTERNAL_NOTIFICATIONS_USER_ID, or give the builder a `user_id`",
        ))
    }
}
