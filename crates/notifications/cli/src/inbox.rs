//! What the commands that are clients of a server have in common.

use internal_notifications_pusher::contract::{ServiceError, ServiceErrorKind};
use internal_notifications_pusher::models::UserId;
use internal_notifications_pusher::{InboxClient, PusherService, PusherServiceBuilder};

use crate::env::Env;
use crate::error::Error;

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const SERVICE: &str = "INTERNAL_NOTIFICATIONS_SERVICE";
const API_KEY: &str = "INTERNAL_NOTIFICATIONS_API_KEY";

/// A client of the user's inbox, as the environment says.
pub(crate) fn of_user(env: &Env, user: &UserId) -> Result<PusherServiceBuilder, Error> {
    if let Some(service) = env.get(SERVICE).filter(|service| service.trim() != "pusher") {
        return Err(Error::usage(format!(
            "{SERVICE}: {service:?} is not allowed; in this version it may be pusher"
        )));
    }
    if env.get(URL).is_none() && env.get("PUSHER_APP_KEY").is_none() {
        return Err(needs_server());
    }
    if env.get(TOKEN).is_none() {
        return Err(Error::usage(format!(
            "{TOKEN} is not set; set it to a token of {user}, see `internal-notifications token --help`"
        )));
    }
    let env = env.clone();
    Ok(PusherService::builder().user_id(user.clone()).env(move |name| env.get(name)))
}

/// That the service of a command has no inbox server, which it needs.
pub(crate) fn needs_server() -> Error {
    Error::usage(format!("{URL} is not set; set it to the server's URL, like http://127.0.0.1:8080"))
}

/// A client that pushes, as the environment says.
pub(crate) fn pushing(env: &Env) -> Result<InboxClient, Error> {
    let url = env.require(URL, "the server's URL, like http://127.0.0.1:8080")?;
    let bearer = env.get(API_KEY).or_else(|| env.get(TOKEN)).ok_or_else(|| {
        Error::usage(format!(
            "neither {API_KEY} nor {TOKEN} is set; set one, see `internal-notifications token --help`"
        ))
    })?;
    InboxClient::new(&url, bearer).map_err(|error| told(&error))
}

/// What a service's error means for the command.
pub(crate) fn told(error: &ServiceError) -> Error {
    match error.kind() {
        ServiceErrorKind::Configuration => Error::usage(error),
        ServiceErrorKind::Unauthorized => {
            Error::failed(format!("{error}; is the credential of this server, and not expired?"))
        }
        _ => Error::failed(error),
    }
}
