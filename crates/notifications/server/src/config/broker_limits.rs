use std::fmt;
use std::time::Duration;

use pusher_broker::Limits;

use super::variables::Variables;
use super::{ConfigError, Variable};

pub(crate) const BROKER_LIMITS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_BROKER_LIMITS",
    method: "with_limits",
    default: None,
    allowed: "names and numbers like `connections=20000,cache_seconds=60`, separated by commas; an unknown name lists all",
    purpose: "The limits of the embedded broker that differ from their defaults.",
};

/// A limit of the broker.
enum Limit {
    /// At least 1.
    Count(fn(&mut Limits) -> &mut usize),
    /// In seconds, which may have decimals; more than 0, and at most a year.
    Seconds(fn(&mut Limits) -> &mut Duration),
    /// At least 1, or `none` or 0.
    Optional(fn(&mut Limits) -> &mut Option<usize>),
    BadFrames,
}

use Limit::{BadFrames, Count, Optional, Seconds};

/// Every limit, with its name on the command line and in the environment.
const ALL: &[(&str, Limit)] = &[
    ("connections", Count(|limits| &mut limits.connections)),
    ("connections_per_address", Optional(|limits| &mut limits.connections_per_address)),
    ("connection_quota", Optional(|limits| &mut limits.connection_quota)),
    ("subscriptions", Count(|limits| &mut limits.subscriptions)),
    ("subscribe_requests", Count(|limits| &mut limits.subscribe_requests)),
    ("send_queue", Count(|limits| &mut limits.send_queue)),
    ("frame_bytes", Count(|limits| &mut limits.frame_bytes)),
    ("bad_frames", BadFrames),
    ("event_data", Count(|limits| &mut limits.event_data)),
    ("presence_members", Count(|limits| &mut limits.presence_members)),
    ("watchlist", Count(|limits| &mut limits.watchlist)),
    ("client_events_per_second", Count(|limits| &mut limits.client_events_per_second)),
    ("cache_seconds", Seconds(|limits| &mut limits.cache_time)),
    ("cached_events", Count(|limits| &mut limits.cached_events)),
    ("cached_bytes", Count(|limits| &mut limits.cached_bytes)),
    ("body_bytes", Count(|limits| &mut limits.body_bytes)),
    ("buffered_bytes", Count(|limits| &mut limits.buffered_bytes)),
    ("body_seconds", Seconds(|limits| &mut limits.body_timeout)),
    ("activity_seconds", Seconds(|limits| &mut limits.activity_timeout)),
    ("activity_margin_seconds", Seconds(|limits| &mut limits.activity_margin)),
    ("pong_seconds", Seconds(|limits| &mut limits.pong_timeout)),
    ("subscribe_seconds", Seconds(|limits| &mut limits.subscribe_timeout)),
    ("close_seconds", Seconds(|limits| &mut limits.close_timeout)),
    ("webhook_queue", Count(|limits| &mut limits.webhook_queue)),
    ("webhook_queue_bytes", Count(|limits| &mut limits.webhook_queue_bytes)),
    ("webhook_seconds", Seconds(|limits| &mut limits.webhook_timeout)),
    ("webhook_retry_seconds", Seconds(|limits| &mut limits.webhook_retry_period)),
    ("webhook_grace_seconds", Seconds(|limits| &mut limits.webhook_grace)),
];

const YEAR: f64 = 365.0 * 86_400.0;

/// A limit of the broker that cannot be used. The text names the limit and the allowed values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidBrokerLimit(String);

/// Sets limits of the broker from text like `connections=20000,cache_seconds=60`.
///
/// The names are those of the fields of [`Limits`]; durations are in seconds, end in `_seconds`
/// instead of `_timeout`, `_time` or `_period`, and may have decimals.
///
/// # Errors
/// Returns [`InvalidBrokerLimit`] for an unknown name, a value that is not allowed, or
/// `body_bytes` above `buffered_bytes`.
pub fn set_broker_limits(limits: &mut Limits, text: &str) -> Result<(), InvalidBrokerLimit> {
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        set(limits, name.trim(), value.trim())?;
    }
    if limits.buffered_bytes < limits.body_bytes {
        return Err(InvalidBrokerLimit("buffered_bytes must be at least body_bytes".to_owned()));
    }
    Ok(())
}

fn set(limits: &mut Limits, name: &str, value: &str) -> Result<(), InvalidBrokerLimit> {
    let Some((_, limit)) = ALL.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        return Err(InvalidBrokerLimit(format!("{name:?} is not one of {}", names.join(", "))));
    };
    let not_allowed = |allowed| InvalidBrokerLimit(format!("{name}: {value:?} is not {allowed}"));
    let count = || {
        let count = value.parse::<usize>().ok().filter(|count| *count > 0);
        count.ok_or_else(|| not_allowed("a whole number, at least 1"))
    };
    match limit {
        Count(field) => *field(limits) = count()?,
        Optional(field) => {
            *field(limits) = match value {
                "none" | "0" => None,
                _ => Some(value.parse().map_err(|_| not_allowed("a whole number, or none"))?),
            };
        }
        BadFrames => limits.bad_frames = value.parse().map_err(|_| not_allowed("a whole number"))?,
        Seconds(field) => {
            let seconds = value.parse::<f64>().ok().filter(|seconds| (0.001..=YEAR).contains(seconds));
            let seconds = seconds.ok_or_else(|| not_allowed("a number of seconds, at most a year"))?;
            *field(limits) = Duration::from_secs_f64(seconds);
        }
    }
    Ok(())
}

/// Reads the limits from the environment.
pub(super) fn from_env(variables: &Variables<'_>) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    if let Some(text) = variables.text(&BROKER_LIMITS) {
        set_broker_limits(&mut limits, &text)
            .map_err(|InvalidBrokerLimit(problem)| ConfigError::new(&BROKER_LIMITS, problem))?;
    }
    Ok(limits)
}

impl fmt::Display for InvalidBrokerLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidBrokerLimit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        let fields = format!("{:?}", Limits::default()).matches(": ").count();
        assert_eq!(ALL.len(), fields, "the table has each field of the limits once");
        for (name, _) in ALL {
            let mut limits = Limits::default();
            set_broker_limits(&mut limits, &format!("buffered_bytes=50000000,{name}=7654321")).unwrap();
            let text = format!("{limits:?}");
            assert!(text.contains("7654321"), "{name}: {text}");
        }
        let mut limits = Limits::default();
        set_broker_limits(&mut limits, " connections = 20000, webhook_grace_seconds=0.5 ,").unwrap();
        assert_eq!((limits.connections, limits.webhook_grace), (20_000, Duration::from_millis(500)));
    }

    #[test]
    fn a_limit_that_is_optional_can_be_lifted() {
        for value in ["none", "0"] {
            let mut limits = Limits::default();
            set_broker_limits(&mut limits, &format!("connections_per_address={value}")).unwrap();
            assert_eq!(limits.connections_per_address, None);
        }
    }

    #[test]
    fn what_cannot_work_is_refused_with_the_allowed_values() {
        for (text, problem) in [
            ("connections", "at least 1"),
            ("connections=0", "at least 1"),
            ("connections=-1", "at least 1"),
            ("connections=1e3", "at least 1"),
            ("cache_seconds=0", "seconds"),
            ("cache_seconds=NaN", "seconds"),
            ("cache_seconds=inf", "seconds"),
            ("cache_seconds=31536001", "seconds"),
            ("bad_frames=x", "whole number"),
            ("connections_per_address=-1", "or none"),
            ("conections=1", "connection_quota, subscriptions"),
            ("body_bytes=40000000", "at least body_bytes"),
        ] {
            let error = set_broker_limits(&mut Limits::default(), text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
