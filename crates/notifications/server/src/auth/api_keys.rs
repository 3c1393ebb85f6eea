use std::fmt;

use ring::hmac;

use crate::config::ApiKey;

/// The backends' keys. Only their digests are kept, under a key of this process, and compared in constant time: how long that takes
/// tells nothing of a key.
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

    /// The name of the backend with this key. Every key is compared, whichever fits.
    pub(crate) fn name_of(&self, bearer: &str) -> Option<&str> {
        let fits = |tag: &hmac::Tag| hmac::verify(&self.digest, bearer.as_bytes(), tag.as_ref()).is_ok();
        self.keys.iter().fold(None, |found, (name, tag)| if fits(tag) { Some(name.as_str()) } else { found })
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
    fn a_key_has_its_name_and_nothing_else_has_one() {
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
