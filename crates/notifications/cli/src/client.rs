//! Creates the clients of an inbox server from the environment.

use internal_notifications::with_causes;
use internal_notifications_pusher::contract::{ServiceError, ServiceErrorKind};
use internal_notifications_pusher::models::UserId;
use internal_notifications_pusher::{InboxClient, PusherService, PusherServiceBuilder};
use pusher_client::Roots;

use crate::env::Env;
use crate::error::Error;

pub(crate) const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
pub(crate) const CA_FILE: &str = "INTERNAL_NOTIFICATIONS_CA_FILE";
const TOKEN: &str = "INTERNAL_NOTIFICATIONS_TOKEN";
const SERVICE: &str = "INTERNAL_NOTIFICATIONS_SERVICE";
const API_KEY: &str = "INTERNAL_NOTIFICATIONS_API_KEY";

/// Returns a builder for the client of a user's inbox.
pub(crate) fn inbox_of(env: &Env, user: &UserId) -> Result<PusherServiceBuilder, Error> {
    if let Some(service) = env.get(SERVICE).filter(|service| service.trim() != "pusher") {
        return Err(Error::usage(format!("{SERVICE}: {service:?} is not supported here; it must be pusher")));
    }
    if env.get(URL).is_none() && env.get("PUSHER_APP_KEY").is_none() {
        return Err(server_required());
    }
    if env.get(TOKEN).is_none() {
        return Err(Error::usage(format!(
            "{TOKEN} is not set; set it to a token of {user}, see `internal-notifications token --help`"
        )));
    }
    let (env, roots) = (env.clone(), roots(env)?);
    Ok(PusherService::builder().user_id(user.clone()).roots(roots).env(move |name| env.get(name)))
}

/// Returns the system's certificate authorities, with those of the file that the environment names.
fn roots(env: &Env) -> Result<Roots, Error> {
    match env.get(CA_FILE) {
        None => Ok(Roots::platform()),
        Some(path) => Roots::platform()
            .with_pem_file(&path)
            .map_err(|error| Error::usage(format!("{CA_FILE}: {path}: {}", with_causes(&error)))),
    }
}

/// Returns the error of a command that cannot work without an inbox server.
pub(crate) fn server_required() -> Error {
    Error::usage(format!("{URL} is not set; set it or --url to the server's URL, like http://127.0.0.1:8080"))
}

/// Returns a client that pushes.
pub(crate) fn for_pushing(env: &Env) -> Result<InboxClient, Error> {
    let url = env.require(URL, "the server's URL, like http://127.0.0.1:8080")?;
    let key = env.get(API_KEY).or_else(|| env.get(TOKEN)).ok_or_else(|| {
        Error::usage(format!(
            "neither {API_KEY} nor {TOKEN} is set; set one, see `internal-notifications token --help`"
        ))
    })?;
    InboxClient::builder(url, key).roots(roots(env)?).build().map_err(|error| command_error(&error))
}

/// Converts the error of a client into that of the command.
pub(crate) fn command_error(error: &ServiceError) -> Error {
    let message = with_causes(error);
    match error.kind() {
        ServiceErrorKind::Configuration => Error::usage(message),
        ServiceErrorKind::Unauthorized => Error::failed(format!(
            "{message}; check that the token or key belongs to this server and has not expired"
        )),
        _ => Error::failed(message),
    }
}
