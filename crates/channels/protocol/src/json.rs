use serde::Serialize;

/// Encodes a value. Structs of strings and numbers cannot fail to become JSON.
pub(crate) fn encode<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Encodes a frame. `data` is written as it is, without a second encoding.
pub(crate) fn frame<T: Serialize + ?Sized>(event: &str, channel: Option<&str>, data: &T) -> String {
    #[derive(Serialize)]
    struct Wire<'a, T: ?Sized> {
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'a str>,
        data: &'a T,
    }
    encode(&Wire { event, channel, data })
}
