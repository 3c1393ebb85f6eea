use std::collections::HashMap;
use std::sync::Arc;

use internal_notifications::{InternalNotifications, InternalNotificationsBuilder, ServiceError};

/// Returns a lookup of these variables.
pub fn lookup(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + Send + Sync + Clone + 'static {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Arc<HashMap<_, _>> = Arc::new(variables.iter().map(owned).collect());
    move |name| variables.get(name).cloned()
}

pub fn from_env(variables: &[(&str, &str)]) -> Result<InternalNotifications, ServiceError> {
    InternalNotifications::from_env_with(lookup(variables))
}

pub fn builder() -> InternalNotificationsBuilder {
    InternalNotifications::builder()
}

pub const SERVICE: &str = "INTERNAL_NOTIFICATIONS_SERVICE";
