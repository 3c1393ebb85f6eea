use internal_notifications_models::Timestamp;

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const CONFIRM_CLOCK: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_CONFIRM_CLOCK",
    method: "with_confirm_clock",
    default: None,
    allowed: "the current time, like `2027-01-04T09:00:00Z`",
    purpose: "Confirms at a start that the clock is right, after the log says that it is in doubt. Without effect on a clock that differs from it by more than a day.",
};

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Option<Timestamp>, ConfigError> {
    variables.parsed(&CONFIRM_CLOCK)
}
