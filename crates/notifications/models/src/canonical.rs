use std::fmt::Write;

use serde_json::Value;

/// Returns a value as JSON with sorted keys and without white space.
///
/// Equal values give equal texts, whatever the order of their keys and whichever features of
/// serde_json the build enables.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => list(out, ['[', ']'], items, write),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            list(out, ['{', '}'], entries, |(key, value), out| {
                let _ = write!(out, "{}:", Value::from(key.as_str()));
                write(value, out);
            });
        }
        scalar => {
            let _ = write!(out, "{scalar}");
        }
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

    #[test]
    fn order_and_spacing_do_not_matter() {
        let value: Value =
            serde_json::from_str(r#" { "b" : [1, {"d":null,"c":"x\"y"}], "a":true } "#).unwrap();
        assert_eq!(canonical_json(&value), r#"{"a":true,"b":[1,{"c":"x\"y","d":null}]}"#);
        assert_ne!(canonical_json(&json!({"a": 1})), canonical_json(&json!({"a": "1"})));
    }

    #[test]
    fn numbers_are_read_back_to_the_digit() {
        for number in ["93.57325699163573", "0.1", "1.7976931348623157e308", "5e-324", "18446744073709551615"]
        {
            let value: Value = serde_json::from_str(number).unwrap();
            let text = canonical_json(&value);
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            assert_eq!(text.parse::<f64>(), number.parse(), "{number}: {text}");
        }
    }
}
