use internal_notifications_service::ServiceError;

use super::{PusherServiceBuilder, configuration};

impl PusherServiceBuilder {
    /// Returns an error if two settings contradict each other. [`build`](Self::build) does so too.
    ///
    /// # Errors
    /// Returns [`Configuration`](internal_notifications_service::ServiceErrorKind::Configuration),
    /// naming both settings.
    pub fn check_conflicts(&self) -> Result<(), ServiceError> {
        let url = ("url", self.url.is_some());
        let channels = ("channels", self.channels.is_some());
        let user = ("user", self.user.is_some());
        let user_id = ("user_id", self.user_id.is_some());
        let identity = ("identity", self.identity.is_some());
        let authorizer = ("authorizer", self.options.authorizer.is_some());
        let auth_endpoint = ("auth_endpoint", self.options.auth_endpoint.is_some());
        for ((one, has_one), (other, has_other)) in [
            (url, channels),
            (user, user_id),
            (user, identity),
            (user_id, identity),
            (authorizer, auth_endpoint),
        ] {
            if has_one && has_other {
                return Err(configuration(&format!(
                    "the builder has both `{one}` and `{other}`, which contradict each other: set only one of them"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use pusher_client::{Signer, SigningAuthorizer};

    use crate::{Channels, Credentials, PusherService, PusherServiceBuilder};

    #[test]
    fn contradictory_settings_are_rejected_with_both_names() {
        let ada = || "ada".parse().unwrap();
        let channels = || Channels::cluster("k", "eu");
        let identity = || Credentials::new(ada(), "t").unwrap();
        let authorizer = || SigningAuthorizer::new(Signer::new("k", "secret"));
        let new = PusherService::builder;
        let conflicts: [(PusherServiceBuilder, [&str; 2]); 5] = [
            (new().url("http://h").channels(channels()), ["`url`", "`channels`"]),
            (new().user(ada(), "t").user_id(ada()), ["`user`", "`user_id`"]),
            (new().user(ada(), "t").identity(identity()), ["`user`", "`identity`"]),
            (new().user_id(ada()).identity(identity()), ["`user_id`", "`identity`"]),
            (new().authorizer(authorizer()).auth_endpoint("http://h"), ["`authorizer`", "`auth_endpoint`"]),
        ];
        for (builder, names) in conflicts {
            let error = builder.build().unwrap_err().to_string();
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
        }
    }
}
