use std::fmt;
use std::str::FromStr;

use crate::limits;

/// The id that a server gives a connection: digits, a dot, digits. Kept as text, since the width of the numbers varies
/// between servers.
///
/// The check is a security matter: an auth endpoint signs `socket_id:channel`, so a "socket id" with a colon in it would
/// buy a signature for another channel.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(String);

/// A text that is no socket id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a socket id has the form digits.digits")]
pub struct InvalidSocketId;

impl SocketId {
    /// Checks a socket id.
    ///
    /// # Errors
    /// [`InvalidSocketId`] when it is not of the form `digits.digits`, or longer than [`limits::SOCKET_ID`].
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

    /// The socket id of two numbers.
    pub fn from_parts(left: u32, right: u32) -> Self {
        Self(format!("{left}.{right}"))
    }

    /// The id as text.
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
    fn only_digits_dot_digits_is_a_socket_id() {
        for id in ["1.1", "1234.1234", "45055.28877557", "218122.4837"] {
            assert!(SocketId::new(id).is_ok(), "{id}");
        }
        for id in [
            "", "1.1:", ":1.1", ":\n1.1", "1.1\n", "1.1\n:", "12341234", "1.", ".1", "a.b", "1.1.1", " 1.1",
            "１.1",
        ] {
            assert_eq!(SocketId::new(id), Err(InvalidSocketId), "{id:?}");
        }
        assert_eq!(SocketId::new(format!("1.{}", "1".repeat(80))), Err(InvalidSocketId));
    }
}
