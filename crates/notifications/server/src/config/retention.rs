use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use super::variables::Variables;
use super::{ConfigError, Variable};
use crate::store::Retention;

const AGE: &str = "a whole number, at least 1, with its unit (`365d`, `12h`, `30m` or `45s`), or `forever`";
const COUNT: &str = "a whole number, at least 1, or `unlimited`";

pub(crate) const RETENTION: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_RETENTION",
    method: "with_retention",
    default: Some("365d"),
    allowed: AGE,
    purpose: "How long a notification is kept, whether opened or not.",
};
pub(crate) const RETENTION_COUNT: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_RETENTION_COUNT",
    method: "with_retention",
    default: Some("100000"),
    allowed: COUNT,
    purpose: "How many notifications an inbox keeps. The oldest are removed first.",
};
pub(crate) const LOG_RETENTION: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_LOG_RETENTION",
    method: "with_retention",
    default: Some("30d"),
    allowed: AGE,
    purpose: "How long changes are kept in the log. A client that was away for longer gets a snapshot.",
};
pub(crate) const LOG_COUNT: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_LOG_COUNT",
    method: "with_retention",
    default: Some("10000"),
    allowed: COUNT,
    purpose: "How many changes of an inbox are kept in its log.",
};
pub(crate) const SWEEP_SECONDS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_SWEEP_SECONDS",
    method: "with_sweep_interval",
    default: Some("60"),
    allowed: "a number of seconds, at least 1",
    purpose: "How often the server starts a pass over all inboxes to check their counts and enforce the retention.",
};

pub(super) const DEFAULT_SWEEP_INTERVAL: Duration = Duration::from_secs(60);

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Retention, ConfigError> {
    let age = |variable, default| Ok(variables.parsed(variable)?.map_or(default, |Age(age)| age));
    let count = |variable, default| Ok(variables.parsed(variable)?.map_or(default, |Count(count)| count));
    let mut retention = Retention::default();
    retention.age = age(&RETENTION, retention.age)?;
    retention.count = count(&RETENTION_COUNT, retention.count)?;
    retention.log_age = age(&LOG_RETENTION, retention.log_age)?;
    retention.log_count = count(&LOG_COUNT, retention.log_count)?;
    Ok(retention)
}

pub(super) fn sweep_interval(variables: &Variables<'_>) -> Result<Duration, ConfigError> {
    let seconds = variables.parsed(&SWEEP_SECONDS)?.map(NonZeroU64::get);
    Ok(seconds.map_or(DEFAULT_SWEEP_INTERVAL, Duration::from_secs))
}

pub(super) fn check_sweep_interval(interval: Duration) -> Result<(), ConfigError> {
    match interval < Duration::from_secs(1) {
        true => Err(ConfigError::not_allowed(&SWEEP_SECONDS, &format!("{interval:?}"))),
        false => Ok(()),
    }
}

/// An age, or `None` for `forever`.
struct Age(Option<Duration>);

/// A number, or `None` for `unlimited`.
struct Count(Option<u64>);

impl FromStr for Age {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
        let (number, unit) =
            units.into_iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit))).ok_or(())?;
        let seconds = at_least_one(number).and_then(|number| number.checked_mul(unit)).ok_or(())?;
        Ok(Self(Some(Duration::from_secs(seconds))))
    }
}

impl FromStr for Count {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if text == "unlimited" {
            return Ok(Self(None));
        }
        at_least_one(text).map(|number| Self(Some(number))).ok_or(())
    }
}

/// Parses a number of at least 1, because 0 would empty every inbox.
fn at_least_one(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}
