use ring::hmac;

/// The HMAC-SHA256 of a bearer under a random key of this process. It stands for the bearer without
/// revealing it, also where its comparison takes a different time: nobody can choose a digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct BearerDigest([u8; 32]);

/// Makes digests of bearers.
pub(super) struct BearerDigests(hmac::Key);

impl BearerDigests {
    pub(super) fn new() -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()))
    }

    pub(super) fn of(&self, bearer: &str) -> BearerDigest {
        let mut digest = [0; 32];
        digest.copy_from_slice(hmac::sign(&self.0, bearer.as_bytes()).as_ref());
        BearerDigest(digest)
    }
}
