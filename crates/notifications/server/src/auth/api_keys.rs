use std::fmt;

use super::bearer_digest::{BearerDigest, BearerDigests};
use crate::config::ApiKey;

/// The API keys of backends, as digests. All of them are compared, so that response times reveal
/// nothing about a key.
pub(crate) struct ApiKeys(Vec<(String, BearerDigest)>);

impl ApiKeys {
    pub(crate) fn new(keys: &[ApiKey], digests: &BearerDigests) -> Self {
        Self(keys.iter().map(|key| (key.name.clone(), digests.of(&key.key))).collect())
    }

    /// Returns the name of the key with this digest. Compares all keys even after a match.
    pub(crate) fn name_of(&self, bearer: &BearerDigest) -> Option<&str> {
        self.0
            .iter()
            .fold(None, |found, (name, digest)| if digest == bearer { Some(name.as_str()) } else { found })
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_key_is_recognized() {
        let key =
            |name: &str| ApiKey::new(name, format!("{name}-key-of-thirty-two-bytes-or-more")).expect("long");
        let digests = BearerDigests::new();
        let keys = ApiKeys::new(&[key("shop"), key("mail")], &digests);
        let name_of = |bearer| keys.name_of(&digests.of(bearer));
        assert_eq!(name_of("shop-key-of-thirty-two-bytes-or-more"), Some("shop"));
        assert_eq!(name_of("mail-key-of-thirty-two-bytes-or-more"), Some("mail"));
        for wrong in
            ["", "shop", "shop-key-of-thirty-two-bytes-or-mor", "shop:shop-key-of-thirty-two-bytes-or-more"]
        {
            assert_eq!(name_of(wrong), None, "{wrong}");
        }
        assert!(!format!("{keys:?}").contains("thirty"));
    }
}
