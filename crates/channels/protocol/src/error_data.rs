use serde::Deserialize;

use crate::Data;

/// The data of `pusher:error`. Either field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ErrorData {
    /// The error code: a [`CloseCode`](crate::CloseCode), or an HTTP status from some servers.
    #[serde(default)]
    pub code: Option<u16>,
    /// The message, for people; do not match on it.
    #[serde(default)]
    pub message: Option<String>,
}

impl ErrorData {
    /// Creates the data of an error event.
    pub fn new(code: Option<u16>, message: Option<String>) -> Self {
        Self { code, message }
    }

    /// Parses the data of an error event. Data of any other form becomes the message.
    pub fn parse(data: Data<'_>) -> Self {
        data.object().unwrap_or_else(|_| {
            Self::new(None, Some(data.text().into_owned()).filter(|text| !text.is_empty()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn errors_are_parsed_in_every_form_that_servers_send() {
        let read = |data: &str| {
            let text = format!(r#"{{"event":"pusher:error","data":{data}}}"#);
            ErrorData::parse(Frame::parse(&text).unwrap().data())
        };
        assert_eq!(
            read(r#"{"code":4001,"message":"m"}"#),
            ErrorData { code: Some(4001), message: Some("m".into()) }
        );
        assert_eq!(read(r#""{\"code\":4009,\"message\":\"m\"}""#).code, Some(4009));
        assert_eq!(read(r#"{"code":null,"message":"m"}"#).code, None);
        assert_eq!(read(r#""over quota""#).message.as_deref(), Some("over quota"));
        assert_eq!(read("null"), ErrorData::default());
    }
}
