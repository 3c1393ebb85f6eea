use std::num::NonZeroU64;

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const POSITION_CHECK_SECONDS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS",
    method: "with_position_check_seconds",
    default: Some("60"),
    allowed: "a number of seconds, at least 1",
    purpose: "How often a connected client checks whether it missed a live event.",
};

pub(super) const DEFAULT_SECONDS: u64 = 60;

pub(super) fn check(seconds: u64) -> Result<(), ConfigError> {
    match seconds {
        0 => Err(ConfigError::not_allowed(&POSITION_CHECK_SECONDS, "0")),
        _ => Ok(()),
    }
}

pub(super) fn from_env(variables: &Variables<'_>) -> Result<u64, ConfigError> {
    Ok(variables.parsed(&POSITION_CHECK_SECONDS)?.map_or(DEFAULT_SECONDS, NonZeroU64::get))
}
