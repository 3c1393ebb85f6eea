use std::time::Duration;

/// Ten years.
const MAX_SECONDS: u64 = 3650 * 24 * 60 * 60;

/// Parses a duration like `90s`, `15m`, `1h` or `7d`.
pub(crate) fn parse_ttl(text: &str) -> Result<Duration, String> {
    let unit = match text.chars().next_back() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => 0,
    };
    let digits = text.trim_end_matches(['s', 'm', 'h', 'd']);
    let has_one_unit = digits.len() + 1 == text.len() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<u64>().ok().filter(|_| has_one_unit);
    match number.and_then(|number| number.checked_mul(unit)) {
        Some(seconds @ 1..=MAX_SECONDS) => Ok(Duration::from_secs(seconds)),
        _ => Err("it must be a duration like 90s, 15m, 1h or 7d, at most 3650d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("1h", 3600), ("7d", 604_800)] {
            assert_eq!(parse_ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in
            ["", "1", "h", "0s", "-1h", "+1h", "1hh", "1.5h", "1 h", "99999999999999999999d", "1é", "3651d"]
        {
            assert!(parse_ttl(text).is_err(), "{text}");
        }
    }
}
