use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(&'static str);

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// [`InvalidId`] says the rule.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                $check(&id).map(|()| Self(id))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(id: String) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

text_id! {
    /// A user: 1–120 characters of Pusher's channel alphabet (letters, digits and `_-=@,.;`), not beginning with
    /// `encrypted-` or `cache-`, which would make another kind of channel of `private-` and it.
    UserId, check_user
}

text_id! {
    /// A notification: 1–128 characters, none of them a control character.
    NotificationId, check_notification
}

text_id! {
    /// An operation, chosen by the client so that a repeat does nothing: 1–64 characters, none of them a control character.
    OpId, check_op
}

fn check_user(id: &str) -> Result<(), InvalidId> {
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte);
    if id.is_empty() || id.len() > 120 || !id.bytes().all(alphabet) {
        return Err(InvalidId("a user id is 1 to 120 letters, digits or _-=@,.;"));
    }
    if id.starts_with("encrypted-") || id.starts_with("cache-") {
        return Err(InvalidId("a user id must not begin with encrypted- or cache-"));
    }
    Ok(())
}

fn check_notification(id: &str) -> Result<(), InvalidId> {
    printable(id, 128)
        .then_some(())
        .ok_or(InvalidId("an id is 1 to 128 characters without control characters"))
}

fn check_op(id: &str) -> Result<(), InvalidId> {
    printable(id, 64).then_some(()).ok_or(InvalidId("an op is 1 to 64 characters without control characters"))
}

fn printable(id: &str, most: usize) -> bool {
    !id.is_empty() && id.chars().count() <= most && !id.chars().any(char::is_control)
}

/// 64 random bits that a change carries. With its seq it names one point in one history: after a restored backup the same seq
/// comes with another tag. As text: 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(u64);

impl Tag {
    /// The tag of these bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl FromStr for Tag {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(hex) {
            return Err(InvalidId("a tag is 16 lower-case hexadecimal digits"));
        }
        u64::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| InvalidId("a tag is 16 lower-case hexadecimal digits"))
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> String {
        tag.to_string()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_id_is_of_pushers_alphabet_and_makes_a_private_channel() {
        for id in ["ada", "a", "A-Z_0=@,.;9", &"a".repeat(120)] {
            assert!(UserId::new(id).is_ok(), "{id}");
        }
        for id in ["", " ", "a b", "é", "a:b", "a\n", "#a", "encrypted-a", "cache-a", &"a".repeat(121)] {
            assert!(UserId::new(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn ids_and_ops_are_bounded_and_printable() {
        assert!(NotificationId::new("é".repeat(128)).is_ok());
        assert!(NotificationId::new("é".repeat(129)).is_err());
        assert!(NotificationId::new("").is_err());
        assert!(NotificationId::new("a\u{0}b").is_err());
        assert!(OpId::new("o".repeat(64)).is_ok());
        assert!(OpId::new("o".repeat(65)).is_err());
        assert!(serde_json::from_str::<NotificationId>("\"a\\u0007\"").is_err());
    }

    #[test]
    fn a_tag_survives_its_text() {
        let tag = Tag::from_bits(0x00c0_1d00_dead_beef);
        assert_eq!(tag.to_string(), "00c01d00deadbeef");
        assert_eq!(tag.to_string().parse(), Ok(tag));
        for text in ["", "c01d", "00C01D00DEADBEEF", "+0c01d00deadbeef", "00c01d00deadbeef0"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}
