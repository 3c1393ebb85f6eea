use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text breaks the rule for its kind of id; the message is the rule.
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
            /// Checks a text and wraps it.
            ///
            /// # Errors
            /// Returns [`InvalidId`] if the text breaks the rule of this type.
            pub fn new(id: impl Into<String>) -> Result<Self, InvalidId> {
                let id = id.into();
                $check(&id).map(|()| Self(id))
            }

            /// Returns the id as text.
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

        impl TryFrom<&String> for $name {
            type Error = InvalidId;

            fn try_from(id: &String) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidId;

            fn try_from(id: &str) -> Result<Self, InvalidId> {
                Self::new(id)
            }
        }

        // For lists such as `&["ada"]`, whose items are references.
        impl TryFrom<&&str> for $name {
            type Error = InvalidId;

            fn try_from(id: &&str) -> Result<Self, InvalidId> {
                Self::new(*id)
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
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
    /// The id of a user: 1 to 120 letters, digits or `_-=@,.;`.
    ///
    /// This is the alphabet of Pusher's channel names. An id must not begin with `encrypted-` or
    /// `cache-`: with `private-` in front, it would name another kind of channel.
    UserId, check_user
}

text_id! {
    /// The id of a notification: 1 to 128 characters without control characters.
    ///
    /// Not every id can be pushed: see [`fits_url`](NotificationId::fits_url).
    NotificationId, check_notification
}

impl NotificationId {
    /// Returns whether a URL can name the id as a segment of its path.
    ///
    /// HTTP clients take `.` and `..` for steps in the path, also when they are percent-encoded
    /// ([URL Standard](https://url.spec.whatwg.org/#double-dot-path-segment)). Pushes with these
    /// ids are refused; inboxes may still contain some from earlier versions.
    pub fn fits_url(&self) -> bool {
        !matches!(self.as_str(), "." | "..")
    }

    /// Returns whether the id is a UUID of any version, like
    /// `01890a5d-ac96-774b-bcce-b302099a8057`, in lower or upper case.
    ///
    /// By default, an app user may push under no other id: nobody can guess a UUID, and so nobody
    /// can take the id that somebody else is about to push.
    pub fn is_uuid(&self) -> bool {
        let id = self.as_str().as_bytes();
        id.len() == 36
            && id.iter().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    }
}

text_id! {
    /// The id of a write, chosen by the client: 1 to 64 characters without control characters.
    ///
    /// A write repeated with the same id does nothing.
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

fn printable(id: &str, max_chars: usize) -> bool {
    !id.is_empty() && id.chars().count() <= max_chars && !id.chars().any(char::is_control)
}

/// The 64 random bits of a change. Written as 16 lower-case hexadecimal digits.
///
/// A seq and its tag identify one point in one history: after a backup is restored, the same seq
/// comes with another tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(u64);

impl Tag {
    /// Makes a tag of these bits.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Returns the bits.
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
    fn a_user_id_uses_pushers_alphabet_and_names_a_private_channel() {
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
    fn only_dots_alone_do_not_fit_into_a_url() {
        let fits = |id: &str| NotificationId::new(id).unwrap().fits_url();
        assert!(!fits(".") && !fits(".."));
        for id in ["...", ".a", "a/..", "../a", "%2e", "%2e%2e", ". ", "\u{2024}"] {
            assert!(fits(id), "{id}");
        }
    }

    #[test]
    fn a_uuid_has_its_hyphens_and_hexadecimal_digits_in_either_case() {
        let is_uuid = |id: &str| NotificationId::new(id).unwrap().is_uuid();
        for id in [
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert!(is_uuid(id), "{id}");
        }
        for id in [
            "order-1815-shipped",
            "01890a5dac96774bbcceb302099a8057",
            "{01890a5d-ac96-774b-bcce-b302099a8057}",
            "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057",
            "01890a5d-ac96-774b-bcce-b302099a805",
            "01890a5d-ac96-774b-bcce-b302099a80570",
            "01890a5d-ac96-774b-bcce-b302099a805g",
            "01890a5d-ac96-774b-bcceb-302099a8057",
            "01890a5d-ac96-774b-bcce-b302099a80é",
        ] {
            assert!(!is_uuid(id), "{id}");
        }
    }

    #[test]
    fn texts_convert_into_ids_wherever_one_is_expected() {
        fn id(user: impl TryInto<UserId>) -> Option<UserId> {
            user.try_into().ok()
        }
        let ada = UserId::new("ada").unwrap();
        let text = "ada".to_owned();
        for converted in
            [id("ada"), id(&text), id(text.clone()), id(&ada), id(ada.clone()), "ada".parse().ok()]
        {
            assert_eq!(converted.as_ref(), Some(&ada));
        }
        let invalid = "a b".to_owned();
        for refused in [id("a b"), id(&invalid), id(invalid.clone())] {
            assert_eq!(refused, None);
        }
        assert_eq!((ada.as_ref(), format!("{ada} {ada:?}").as_str()), ("ada", "ada \"ada\""));
    }

    #[test]
    fn a_tag_is_read_back_from_its_text() {
        let tag = Tag::from_bits(0x00c0_1d00_dead_beef);
        assert_eq!(tag.to_string(), "00c01d00deadbeef");
        assert_eq!(tag.to_string().parse(), Ok(tag));
        assert_eq!(tag.bits(), 0x00c0_1d00_dead_beef);
        for text in ["", "c01d", "00C01D00DEADBEEF", "+0c01d00deadbeef", "00c01d00deadbeef0"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }
}
