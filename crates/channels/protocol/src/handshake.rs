use serde::Deserialize;

use crate::{Data, FrameError, SocketId, limits};

/// The data of `pusher:connection_established`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Handshake {
    /// The connection's socket id.
    pub socket_id: SocketId,
    /// Seconds without a frame after which the client should ping.
    pub activity_timeout: u64,
}

impl Handshake {
    /// Parses the data of the first event. The timeout may be a number, a fraction or a text; a
    /// missing, zero or unreadable one becomes the default of 120 s.
    ///
    /// # Errors
    /// Returns [`FrameError`] if there is no valid socket id.
    pub fn parse(data: Data<'_>) -> Result<Self, FrameError> {
        #[derive(Deserialize)]
        struct Raw {
            socket_id: String,
            #[serde(default)]
            activity_timeout: Option<Seconds>,
        }
        // Some servers send a text or a fraction.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Seconds {
            Number(f64),
            Text(String),
            Other(serde::de::IgnoredAny),
        }
        let raw: Raw = data.object()?;
        Ok(Self {
            socket_id: SocketId::new(raw.socket_id).map_err(|_| FrameError)?,
            activity_timeout: raw
                .activity_timeout
                .and_then(|seconds| match seconds {
                    Seconds::Number(seconds) => Some(seconds),
                    Seconds::Text(text) => text.trim().parse().ok(),
                    Seconds::Other(_) => None,
                })
                .filter(|seconds| *seconds > 0.0)
                .map_or(limits::ACTIVITY_TIMEOUT_SECONDS, |seconds| seconds.max(1.0) as u64),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn a_handshake_without_a_timeout_has_the_documented_default() {
        let read = |data: &str| {
            let text = format!(r#"{{"event":"pusher:connection_established","data":{data}}}"#);
            Handshake::parse(Frame::parse(&text).unwrap().data())
        };
        let full = read(r#""{\"socket_id\":\"1.2\",\"activity_timeout\":30}""#).unwrap();
        assert_eq!((full.socket_id.as_str(), full.activity_timeout), ("1.2", 30));
        assert_eq!(read(r#"{"socket_id":"1.2"}"#).unwrap().activity_timeout, 120);
        assert_eq!(read(r#"{"socket_id":"1.2","activity_timeout":0}"#).unwrap().activity_timeout, 120);
        assert_eq!(read(r#"{"socket_id":"1:2"}"#), Err(FrameError));
    }

    #[test]
    fn a_timeout_is_read_as_text_or_fraction_too() {
        for (timeout, seconds) in [
            ("30", 30),
            ("30.9", 30),
            ("0.2", 1),
            (r#""30""#, 30),
            (r#"" 30.5 ""#, 30),
            ("-1", 120),
            (r#""soon""#, 120),
            (r#""NaN""#, 120),
            ("null", 120),
            ("[]", 120),
        ] {
            let text = format!(
                r#"{{"event":"pusher:connection_established","data":{{"socket_id":"1.2","activity_timeout":{timeout}}}}}"#
            );
            let handshake = Handshake::parse(Frame::parse(&text).unwrap().data()).unwrap();
            assert_eq!(handshake.activity_timeout, seconds, "{timeout}");
        }
    }
}
