use std::fmt;

use ring::hmac;

use crate::config::ApiKey;

/// The API keys of backends, as HMACs under a random key of this process. They are compared in
/// constant time, so that response times reveal nothing about a key.
pub(crate) struct ApiKeys {
    digest: hmac::Key,
    keys: Vec<(String, hmac::Tag)>,
}

impl ApiKeys {
    pub(crate) fn new(keys: &[ApiKey]) -> Self {
        let digest = hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>());
        let tag = |key: &ApiKey| (key.name.clone(), hmac::sign(&digest, key.key.as_bytes()));
        Self { keys: keys.iter().map(tag).collect(), digest }
    }

    /// Returns the name of this key. Compares all keys even after a match.
    pub(crate) fn name_of(&self, bearer: &str) -> Option<&str> {
        let matches = |tag: &hmac::Tag| hmac::verify(&self.digest, bearer.as_bytes(), tag.as_ref()).is_ok();
        self.keys
            .iter()
            .fold(None, |found, (name, tag)| if matches(tag) { Some(name.as_str()) } else { found })
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_key_is_recognized() {
        let key =
            |name: &str| ApiKey::new(name, format!("{name}-key-of-thirty-two-bytes-or-more")).expect("long");
        let keys = ApiKeys::new(&[key("shop"), key("mail")]);
        assert_eq!(keys.name_of("shop-key-of-thirty-two-bytes-or-more"), Some("shop"));
        assert_eq!(keys.name_of("mail-key-of-thirty-two-bytes-or-more"), Some("mail"));
        for wrong in
            ["", "shop", "shop-key-of-thirty-two-bytes-or-mor", "shop:shop-key-of-thirty-two-bytes-or-more"]
        {
            assert_eq!(keys.name_of(wrong), None, "{wrong}");
        }
        assert!(!format!("{keys:?}").contains("thirty"));
    }
}
