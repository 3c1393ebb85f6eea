//! Text from outside must not steer a terminal or show itself in another order than it is.

use std::fmt::Write;

/// The text with its control, escape and bidi characters made visible: `\n`, `\u{1b}`, `\u{202e}`.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match is_hidden(char) {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    shown
}

/// The same JSON, with such characters written as JSON escapes. They can only stand inside its texts.
pub(crate) fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for char in json.chars() {
        match is_hidden(char) {
            true => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(shown, "\\u{unit:04x}");
            }),
            false => shown.push(char),
        }
    }
    shown
}

/// Unicode's controls, its line and paragraph separators, and what UAX #9 lists as directional formatting characters.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLY: &str = "a\n\u{1b}[2J\u{7f}\u{9b}\u{202e}b\u{2066}é👩‍🚀";

    #[test]
    fn what_would_steer_a_terminal_is_shown_as_text() {
        assert_eq!(visible(SLY), r"a\n\u{1b}[2J\u{7f}\u{9b}\u{202e}b\u{2066}é👩‍🚀");
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let json = serde_json::to_string(SLY).unwrap();
        let shown = visible_json(&json);
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), SLY);
    }
}
