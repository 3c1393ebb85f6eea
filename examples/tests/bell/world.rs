use internal_notifications::{InternalNotifications, MockHub};
use internal_notifications_testkit::server::TestServer;

/// Where the inboxes are.
pub(crate) trait World {
    /// The inbox of this user, on a device of its own.
    fn inbox(&self, user: &str) -> InternalNotifications;
}

impl World for MockHub {
    fn inbox(&self, user: &str) -> InternalNotifications {
        let builder = InternalNotifications::builder().hub(self.clone());
        builder.user_id(user.parse().unwrap()).build().unwrap()
    }
}

impl World for TestServer {
    fn inbox(&self, user: &str) -> InternalNotifications {
        let user = user.parse().unwrap();
        let token = self.token(&user);
        InternalNotifications::builder().url(self.base_url()).user(user, token).build().unwrap()
    }
}
