use std::fmt;
use std::str::FromStr;

use crate::limits;

/// The checked id of a connection, assigned by the server: digits, a dot, digits. Stored as text
/// because servers differ in the width of the numbers.
///
/// The check matters for security: an auth endpoint signs `socket_id:channel`, so a socket id
/// containing a colon could obtain a signature for another channel.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(String);

/// The error for text that is not a socket id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a socket id has the form digits.digits")]
#[non_exhaustive]
pub struct InvalidSocketId;

impl SocketId {
    /// Checks a socket id.
    ///
    /// # Errors
    /// Returns [`InvalidSocketId`] if the text does not have the form `digits.digits` or is longer
    /// than [`limits::SOCKET_ID`].
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidSocketId> {
        let id = id.into();
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match id.split_once('.') {
            Some((left, right)) if digits(left) && digits(right) && id.len() <= limits::SOCKET_ID => {
                Ok(Self(id))
            }
            _ => Err(InvalidSocketId),
        }
    }

    /// Creates a socket id from its two numbers.
    pub fn from_parts(left: u32, right: u32) -> Self {
        Self(format!("{left}.{right}"))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SocketId {
    type Err = InvalidSocketId;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::new(id)
    }
}

impl TryFrom<&str> for SocketId {
    type Error = InvalidSocketId;

    fn try_from(id: &str) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl TryFrom<String> for SocketId {
    type Error = InvalidSocketId;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl AsRef<str> for SocketId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_id_is_digits_dot_digits() {
        for id in ["1.1", "1234.1234", "45055.28877557", "218122.4837"] {
            assert!(SocketId::new(id).is_ok(), "{id}");
        }
        for id in [
            "", "1.1:", ":1.1", ":\n1.1", "1.1\n", "1.1\n:", "12341234", "1.", ".1", "a.b", "1.1.1", " 1.1",
            "１.1",
        ] {
            assert_eq!(SocketId::new(id), Err(InvalidSocketId), "{id:?}");
        }
        assert!(SocketId::new(format!("1.{}", "1".repeat(62))).is_ok());
        assert_eq!(SocketId::new(format!("1.{}", "1".repeat(63))), Err(InvalidSocketId));
    }

    #[test]
    fn a_socket_id_converts_from_and_to_text() {
        let id = SocketId::from_parts(12, 34);
        assert_eq!("12.34".parse(), Ok(id.clone()));
        assert_eq!("12.34".try_into(), Ok(id.clone()));
        assert_eq!("12.34".to_owned().try_into(), Ok(id.clone()));
        assert_eq!((id.as_str(), id.as_ref(), &*id.to_string()), ("12.34", "12.34", "12.34"));
        assert_eq!(format!("{id:?}"), r#""12.34""#);
    }
}
