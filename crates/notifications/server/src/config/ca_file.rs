use pusher_client::Roots;

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const CA_FILE: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_CA_FILE",
    method: "with_roots",
    default: None,
    allowed: "the path of a PEM file with certificates",
    purpose: "Certificate authorities that the server trusts when it connects to a Channels engine or sends webhooks, in \
              addition to the system's.",
};

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Roots, ConfigError> {
    match variables.text(&CA_FILE) {
        None => Ok(Roots::platform()),
        Some(path) => Roots::platform()
            .with_pem_file(&path)
            .map_err(|error| ConfigError::not_allowed(&CA_FILE, &path).with_source(error)),
    }
}
