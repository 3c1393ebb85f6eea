//! Escapes characters with which text from outside could control a terminal or reorder itself.

use std::fmt::Write;

/// Escapes control and bidi characters: `\n`, `\u{1b}`, `\u{202e}`.
pub(crate) fn escape_hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match is_hidden(char) {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    shown
}

/// Escapes control and bidi characters with JSON escapes, so that the JSON stays the same.
///
/// They can occur only inside strings.
pub(crate) fn escape_hidden_in_json(json: &str) -> String {
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

/// Unicode's control characters, its line and paragraph separators, and the directional formatting
/// characters of UAX #9.
fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\n\u{1b}[2J\u{7f}\u{9b}\u{202e}b\u{2066}é👩‍🚀";

    #[test]
    fn characters_that_control_a_terminal_are_shown_as_text() {
        assert_eq!(escape_hidden(HOSTILE), r"a\n\u{1b}[2J\u{7f}\u{9b}\u{202e}b\u{2066}é👩‍🚀");
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let json = serde_json::to_string(HOSTILE).unwrap();
        let shown = escape_hidden_in_json(&json);
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), HOSTILE);
    }
}
