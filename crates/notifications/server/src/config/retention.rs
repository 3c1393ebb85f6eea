use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use super::ConfigError;
use super::variables::Variables;
use crate::store::Retention;

const AGE: &str = "a whole number, at least 1, with its unit (365d, 12h, 30m or 45s), or forever";
const COUNT: &str = "a whole number, at least 1, or unlimited";

pub(super) fn from_env(variables: &Variables<'_>) -> Result<Retention, ConfigError> {
    let age = |name, default| Ok(variables.parsed(name, AGE)?.map_or(default, |Age(age)| age));
    let count = |name, default| Ok(variables.parsed(name, COUNT)?.map_or(default, |Count(count)| count));
    let default = Retention::default();
    Ok(default
        .clone()
        .with_age(age("INTERNAL_NOTIFICATIONS_RETENTION", default.age)?)
        .with_count(count("INTERNAL_NOTIFICATIONS_RETENTION_COUNT", default.count)?)
        .with_log_age(age("INTERNAL_NOTIFICATIONS_LOG_RETENTION", default.log_age)?)
        .with_log_count(count("INTERNAL_NOTIFICATIONS_LOG_COUNT", default.log_count)?))
}

pub(super) fn sweep_interval(variables: &Variables<'_>) -> Result<Duration, ConfigError> {
    let seconds = variables
        .parsed("INTERNAL_NOTIFICATIONS_SWEEP_SECONDS", "a number of seconds, at least 1")?
        .map_or(60, NonZeroU64::get);
    Ok(Duration::from_secs(seconds))
}

/// An age, or none for what is kept for ever.
struct Age(Option<Duration>);

/// A number, or none for what has no bound.
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

/// Zero would empty every inbox; whoever means that can say 1s.
fn at_least_one(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}
