use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer};

/// Parses an RFC 3339 time, or the same without a zone, which is read as UTC.
///
/// Dart writes local times without a zone. Returns `None` if the text is no time.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        Offset::UTC.to_timestamp(local).ok()
    })
}

pub(crate) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    parse_time(&text).map(Some).ok_or_else(|| {
        serde::de::Error::custom("a time is written as in RFC 3339, for example 2026-01-31T09:30:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let utc = parse_time("2026-01-31T09:30:00Z").unwrap();
        assert_eq!(parse_time("2026-01-31T09:30:00.000"), Some(utc));
        assert_eq!(parse_time("2026-01-31T11:30:00+02:00"), Some(utc));
        for text in ["", "tomorrow", "2026-13-01T00:00:00Z"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
