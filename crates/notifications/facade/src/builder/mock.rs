use internal_notifications_mock::{MockHub, MockService};
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use super::InternalNotificationsBuilder;

/// Settings of the service `mock`.
impl InternalNotificationsBuilder {
    /// Sets the hub of the mock, which implies [`ServiceKind::Mock`](crate::ServiceKind::Mock).
    /// Without it, each built service has its own hub.
    pub fn hub(mut self, hub: MockHub) -> Self {
        self.mock = self.mock.hub(hub);
        self.has_hub = true;
        self
    }

    pub(super) fn build_mock(self) -> Result<MockService, ServiceError> {
        if self.mock.has_user() {
            return Ok(self.mock.build());
        }
        match self.env.user()? {
            Some(user_id) => Ok(self.mock.user(user_id).build()),
            None => Err(ServiceError::new(
                ServiceErrorKind::Configuration,
                "the mock has no user: set INTERNAL_NOTIFICATIONS_USER_ID, or give the builder a \
                 `user_id` or an `identity`",
            )),
        }
    }
}
