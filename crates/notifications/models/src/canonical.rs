use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// The deepest nesting that is read from outside, as in serde_json.
pub(crate) const MAX_LEVELS: usize = 128;

/// Returns a value as JSON with sorted keys and without white space.
///
/// Equal values give equal texts, whatever the order of their keys and the escapes in their texts.
/// Numbers are compared and kept as they are written: `1.0` and `1` are two.
///
/// # Errors
/// Returns an error if the value cannot be written as JSON.
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    canonical(&serde_json::to_string(value)?, usize::MAX).map_err(serde::ser::Error::custom)
}

/// Brings a text that is known to be JSON, and nested at most so many levels deep, into the
/// canonical form, or returns why it cannot.
pub(crate) fn canonical(json: &str, levels: usize) -> Result<String, &'static str> {
    let mut out = String::with_capacity(json.len());
    Reader { rest: json }.value(levels)?.write(&mut out);
    Ok(out)
}

/// A parsed value.
enum Node<'a> {
    /// A number, `true`, `false` or `null`, as it is written.
    Token(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    /// The entries, sorted by their keys.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Parses a text whose syntax serde_json has checked, except for the nesting and for escapes of
/// surrogates.
///
/// serde_json reads numbers only as `i64`, `u64` or `f64`, unless its feature
/// `arbitrary_precision` changes its `Value` for every crate of a program.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn value(&mut self, levels: usize) -> Result<Node<'a>, &'static str> {
        match self.peek() {
            Some('"') => self.text().map(Node::Text),
            Some('[') => self.array(levels),
            Some('{') => self.object(levels),
            _ => self.token().map(Node::Token),
        }
    }

    fn array(&mut self, levels: usize) -> Result<Node<'a>, &'static str> {
        let levels = levels.checked_sub(1).ok_or("recursion limit exceeded")?;
        let mut items = Vec::new();
        self.skip();
        while self.peek() != Some(']') {
            items.push(self.value(levels)?);
            self.skip_if(',');
        }
        self.skip();
        Ok(Node::Array(items))
    }

    fn object(&mut self, levels: usize) -> Result<Node<'a>, &'static str> {
        let levels = levels.checked_sub(1).ok_or("recursion limit exceeded")?;
        let mut entries = Vec::new();
        self.skip();
        while self.peek() != Some('}') {
            let key = self.text()?;
            self.skip_if(':');
            entries.push((key, self.value(levels)?));
            self.skip_if(',');
        }
        self.skip();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        // Of several values of a key the last one counts, as in serde_json.
        entries.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        Ok(Node::Object(entries))
    }

    /// Reads a text. It is borrowed if it contains no escape.
    fn text(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let inner = self.rest.strip_prefix('"').ok_or("a key is missing")?;
        if let Some((plain, rest)) = inner.split_once('"').filter(|(plain, _)| !plain.contains('\\')) {
            self.rest = rest;
            return Ok(Cow::Borrowed(plain));
        }
        let mut is_escaped = false;
        let end = inner.bytes().position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let end = end.ok_or("a text has no end")?;
        let (quoted, rest) = self.rest.split_at_checked(end + 2).ok_or("a text has no end")?;
        self.rest = rest;
        serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| "a text contains half of a surrogate pair")
    }

    fn token(&mut self) -> Result<&'a str, &'static str> {
        let is_end = |byte: u8| matches!(byte, b',' | b':' | b']' | b'}') || byte.is_ascii_whitespace();
        let end = self.rest.bytes().position(is_end).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        if token.is_empty() { Err("a value is missing") } else { Ok(token) }
    }

    /// Skips white space and returns the character after it.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.chars().next()
    }

    fn skip_if(&mut self, character: char) {
        if self.peek() == Some(character) {
            self.skip();
        }
        self.rest = self.rest.trim_ascii_start();
    }

    /// Skips a character.
    fn skip(&mut self) {
        let mut characters = self.rest.chars();
        characters.next();
        self.rest = characters.as_str();
    }
}

impl Node<'_> {
    fn write(&self, out: &mut String) {
        match self {
            Self::Token(token) => out.push_str(token),
            Self::Text(text) => write_text(text, out),
            Self::Array(items) => list(out, ['[', ']'], items, Self::write),
            Self::Object(entries) => list(out, ['{', '}'], entries, |(key, value), out| {
                write_text(key, out);
                out.push(':');
                value.write(out);
            }),
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\')) {
        let _ = write!(out, "{}", Value::from(text));
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

fn list<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    each: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(item, out);
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn canonical(json: &str) -> Result<String, &'static str> {
        super::canonical(json, MAX_LEVELS)
    }

    #[test]
    fn order_spacing_and_escapes_do_not_matter() {
        let text =
            " { \"b\" : [1 , {\"d\":null,\"c\":\"x\\\"y\\u0061\\/\"}, [ ], { } ],\n\t\"\\u0061\":true } ";
        assert_eq!(canonical(text).unwrap(), r#"{"a":true,"b":[1,{"c":"x\"ya/","d":null},[],{}]}"#);
        assert_ne!(canonical_json(&json!({"a": 1})).unwrap(), canonical_json(&json!({"a": "1"})).unwrap());
    }

    #[test]
    fn control_characters_stay_escaped() {
        for text in [r#""\n""#, r#""\u0000""#, r#""\u001f""#] {
            assert_eq!(canonical(text).unwrap(), text);
        }
    }

    #[test]
    fn the_last_of_several_values_of_a_key_counts() {
        assert_eq!(canonical(r#"{"a":1,"b":0,"\u0061":2,"a":3}"#).unwrap(), r#"{"a":3,"b":0}"#);
    }

    #[test]
    fn numbers_are_kept_as_they_are_written() {
        for number in [
            "98765432109876543210987",
            "3.14159265358979323846264",
            "-0.0",
            "-0",
            "1.50",
            "1e+16",
            "1E400",
            "93.57325699163573",
            "18446744073709551615",
        ] {
            assert_eq!(canonical(number).unwrap(), number);
            assert_eq!(canonical(&format!("[{number} ,{number}]")).unwrap(), format!("[{number},{number}]"));
        }
    }

    #[test]
    fn texts_are_written_as_by_serde_json() {
        let text = "\u{0}\u{1f}\"\\/\u{8}\u{c}\n\r\t\u{7f}\u{2028}\u{1f600}é";
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        assert_eq!(canonical(&format!("\"{escaped}\"")).unwrap(), json!(text).to_string());
        assert!(canonical(r#""\ud800""#).is_err() && canonical(r#"{"\ud800":1}"#).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |count: usize| format!("{}{}", "[".repeat(count), "]".repeat(count));
        assert_eq!(canonical(&nested(MAX_LEVELS)).unwrap(), nested(MAX_LEVELS));
        assert!(canonical(&nested(MAX_LEVELS + 1)).is_err());
        assert!(canonical(&nested(100_000)).is_err());
    }

    #[test]
    fn a_text_that_is_not_json_is_an_error_and_no_panic() {
        for text in ["", "[", "{", "[}", "{]", "[1", "{1:2}", "{\"a\"", "{\"a\":}", "\"", "\"\\", "[,]"] {
            assert!(canonical(text).is_err(), "{text}");
        }
    }
}
