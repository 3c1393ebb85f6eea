use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::canonical::{MAX_LEVELS, canonical, canonical_json};
use crate::raw::Raw;

/// A value of JSON that its sender wrote, kept as text, so that its numbers are kept to the digit.
///
/// A [`Value`] reads `98765432109876543210987` as a float, and `1.50` as `1.5`. The text has sorted
/// keys and no white space. Two are equal if their texts are, so `1` and `1.0` are not.
///
/// It is made of what becomes a [`Value`], of a type of your own by [`new`](Self::new), or of a
/// text: `r#"{"price":1.50}"#.parse::<JsonText>()`. [`parse`](Self::parse) reads it as a type:
///
/// ```
/// use internal_notifications_models::{InternalNotification, serde_json::json};
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     number: u32,
/// }
///
/// let payload = json!({"number": 1815});
/// let notification = InternalNotification::new("It is here").with_payload(payload);
/// let order = notification.payload.and_then(|payload| payload.parse::<Order>().ok());
/// assert_eq!(order.map(|order| order.number), Some(1815));
/// ```
///
/// Only the formats of serde_json write it as JSON. Numbers are kept to the digit if they are read
/// directly, and not through `#[serde(flatten)]`, `#[serde(untagged)]` or `#[serde(tag)]` of
/// another type, which read into values of their own first.
#[derive(Clone)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Writes a value of your own as JSON.
    ///
    /// # Errors
    /// Returns an error if the value cannot be written as JSON, such as a map whose keys are no
    /// texts.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        canonical_json(value).and_then(RawValue::from_string).map(Self)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the text as a type that implements [`Deserialize`].
    ///
    /// # Errors
    /// Returns an error if the text does not have the form of the type.
    pub fn parse<'t, T: Deserialize<'t>>(&'t self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }

    /// Reads the text as a [`Value`], which may round numbers.
    ///
    /// # Errors
    /// Returns an error if a number is outside the range of an `f64`.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        self.parse()
    }

    /// Returns how deep the value is nested; 0 if it is neither an array nor an object.
    pub(crate) fn depth(&self) -> usize {
        let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
        for byte in self.as_str().bytes() {
            match byte {
                b'"' if !is_escaped => is_text = !is_text,
                b'[' | b'{' if !is_text => depth += 1,
                b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
                _ => {}
            }
            is_escaped = byte == b'\\' && !is_escaped;
            deepest = deepest.max(depth);
        }
        deepest
    }
}

impl FromStr for JsonText {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_str(text)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw(raw) = Raw::deserialize(deserializer)?;
        let text = canonical(raw.get(), MAX_LEVELS).map_err(de::Error::custom)?;
        match text == raw.get() {
            true => Ok(Self(raw)),
            false => RawValue::from_string(text).map(Self).map_err(de::Error::custom),
        }
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl From<Value> for JsonText {
    fn from(value: Value) -> Self {
        // What serde_json writes is JSON, so nothing is replaced by the default, `null`.
        let text = canonical(&value.to_string(), usize::MAX).unwrap_or_else(|_| "null".to_owned());
        Self(RawValue::from_string(text).unwrap_or_default())
    }
}

macro_rules! from {
    ($($type:ty),*) => {
        $(impl From<$type> for JsonText {
            fn from(value: $type) -> Self {
                Value::from(value).into()
            }
        })*
    };
}

from!(bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64);
from!(&str, String, Vec<Value>, Map<String, Value>);

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

impl Hash for JsonText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NUMBERS: &str =
        "[98765432109876543210987,3.14159265358979323846264,-0.0,-0,1.50,1e+16,1E400,0.1e-7]";

    fn text(json: &str) -> JsonText {
        json.parse().unwrap()
    }

    #[test]
    fn numbers_are_kept_as_they_are_written() {
        let numbers = text(NUMBERS);
        assert_eq!(numbers.as_str(), NUMBERS);
        assert_eq!(serde_json::to_string(&numbers).unwrap(), NUMBERS);
        assert_eq!(serde_json::from_slice::<JsonText>(NUMBERS.as_bytes()).unwrap(), numbers);
        assert_eq!(serde_json::from_reader::<_, JsonText>(NUMBERS.as_bytes()).unwrap(), numbers);
        assert_eq!(format!("{numbers} {numbers:?}"), format!("{NUMBERS} {NUMBERS}"));
        assert!(numbers.to_value().is_err(), "1E400 is no f64");
        assert_eq!(text("1.50").to_value().unwrap(), json!(1.5));
    }

    #[test]
    fn two_are_equal_if_they_differ_in_spacing_order_and_escapes_alone() {
        assert_eq!(text(r#" {"b": [1, 2], "a": "x"} "#), text(r#"{"a":"\u0078","b":[1,2]}"#));
        assert_eq!(text(r#"{"b":1,"a":[{"d":1,"c":2}]}"#).as_str(), r#"{"a":[{"c":2,"d":1}],"b":1}"#);
        for other in ["1.0", "1e0", "\"1\"", "[1]", "10"] {
            assert_ne!(text("1"), text(other), "{other}");
        }
    }

    #[test]
    fn it_is_made_of_what_becomes_a_value() {
        for (made, expected) in [
            (json!({"b": [1.5, null], "a": "é\n"}).into(), r#"{"a":"é\n","b":[1.5,null]}"#),
            (JsonText::from(7), "7"),
            (u64::MAX.into(), "18446744073709551615"),
            (2.5.into(), "2.5"),
            (f64::NAN.into(), "null"),
            (true.into(), "true"),
            ("x\"y".into(), r#""x\"y""#),
            (vec![json!(1)].into(), "[1]"),
        ] {
            assert_eq!(made.as_str(), expected);
        }
        let own = std::collections::HashMap::from([("a", text("1.50")), ("b", text("-0.0"))]);
        assert_eq!(JsonText::new(&own).unwrap().as_str(), r#"{"a":1.50,"b":-0.0}"#);
        assert!(JsonText::new(&std::collections::BTreeMap::from([((1, 2), 3)])).is_err());
        let deep = (0..1_000).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(JsonText::from(deep).depth(), 1_000);
    }

    #[test]
    fn it_is_read_as_a_type() {
        let order = text(r#"{"number":1815,"items":["a","b"]}"#);
        #[derive(Debug, PartialEq, Deserialize)]
        struct Order<'t> {
            number: u32,
            #[serde(borrow)]
            items: Vec<&'t str>,
        }
        assert_eq!(order.parse::<Order<'_>>().unwrap(), Order { number: 1815, items: vec!["a", "b"] });
        assert!(order.parse::<u32>().is_err());
        assert_eq!(order.to_value().unwrap(), json!({"number": 1815, "items": ["a", "b"]}));
    }

    #[test]
    fn only_json_is_read() {
        let deep = "[".repeat(20_000);
        let closed = format!("{deep}{}", "]".repeat(20_000));
        for wrong in [
            "",
            " ",
            "{",
            "[1,]",
            "01",
            "1.",
            ".5",
            "NaN",
            "1 2",
            "'a'",
            "\"\t\"",
            r#""\ud800""#,
            &deep,
            &closed,
        ] {
            assert!(wrong.parse::<JsonText>().is_err(), "{wrong:.20}");
        }
        assert!(text(&format!("{}{}", "[".repeat(128), "]".repeat(128))).depth() == 128);
    }

    #[test]
    fn depth_counts_arrays_and_objects_outside_of_texts() {
        for (json, depth) in [
            ("1", 0),
            (r#""[[{""#, 0),
            (r#""\"[\\""#, 0),
            ("[]", 1),
            (r#"{"[":"{"}"#, 1),
            (r#"[1,{"a":[]},[2]]"#, 3),
            (r#"["]}",[]]"#, 2),
        ] {
            assert_eq!(text(json).depth(), depth, "{json}");
        }
    }

    /// serde reads such types into values of its own first.
    #[test]
    fn it_is_read_inside_flattened_tagged_and_untagged_types() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(tag = "kind")]
        enum Tagged {
            Data { value: JsonText },
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(untagged)]
        enum Untagged {
            Number(u8),
            Any(Option<JsonText>),
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Flattened {
            #[serde(flatten)]
            rest: std::collections::BTreeMap<String, JsonText>,
        }
        let value = r#"{"b":[1,2.5,null],"a":{"x":"y"},"$serde_json::private::RawValue":"1"}"#;
        let tagged: Tagged = serde_json::from_str(&format!(r#"{{"value":{value},"kind":"Data"}}"#)).unwrap();
        let Tagged::Data { value: read } = tagged;
        assert_eq!(read.as_str(), r#"{"$serde_json::private::RawValue":"1","a":{"x":"y"},"b":[1,2.5,null]}"#);
        assert_eq!(serde_json::from_str::<Untagged>("[1]").unwrap(), Untagged::Any(Some(text("[1]"))));
        assert_eq!(serde_json::from_str::<Untagged>("7").unwrap(), Untagged::Number(7));
        let flattened: Flattened = serde_json::from_str(r#"{"a":[true],"b":null}"#).unwrap();
        assert_eq!((&flattened.rest["a"], &flattened.rest["b"]), (&text("[true]"), &text("null")));
    }

    #[test]
    fn it_converts_to_and_from_a_value() {
        let value = json!({"a": [1, {"b": "c"}]});
        let text: JsonText = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(text, JsonText::from(value.clone()));
        assert_eq!(serde_json::to_value(&text).unwrap(), value);
    }
}
