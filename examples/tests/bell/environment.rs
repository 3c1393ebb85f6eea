use internal_notifications::{InternalNotifications, MockHub};
use internal_notifications_testkit::server::TestServer;

/// Where a test's inboxes are: in a mock, or on a real server.
pub(crate) trait Environment {
    /// Creates a new device of this user.
    fn inbox(&self, user: &str) -> InternalNotifications;
}

impl Environment for MockHub {
    fn inbox(&self, user: &str) -> InternalNotifications {
        InternalNotifications::builder().hub(self.clone()).user_id(user).build().unwrap()
    }
}

impl Environment for TestServer {
    fn inbox(&self, user: &str) -> InternalNotifications {
        let token = self.token(&user.parse().unwrap());
        InternalNotifications::builder().url(self.base_url()).user(user, token).build().unwrap()
    }
}
