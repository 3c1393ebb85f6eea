use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hashlink::LruCache;
use internal_notifications_models::UserId;

use super::Principal;
use super::bearer_digest::BearerDigest;

/// Remembers tokens with a good signature, so that a client's further requests cost no further
/// verification. Belongs to the key that verified them.
///
/// Bounded in number, and thus in bytes: an entry has a user id of at most 120 bytes, and no token.
pub(super) struct VerifiedTokens(Mutex<LruCache<BearerDigest, VerifiedToken>>);

/// What a token with a good signature says. Its times have to be checked at each use.
#[derive(Clone)]
pub(super) struct VerifiedToken {
    pub(super) user: Principal,
    /// In seconds since 1970.
    pub(super) exp: f64,
    /// In seconds since 1970.
    pub(super) nbf: Option<f64>,
}

/// The most tokens to remember: some 5 MiB with the longest user ids.
const CAPACITY: usize = 16 * 1024;

impl VerifiedTokens {
    pub(super) fn new() -> Self {
        // The cache grows as it is filled.
        Self(Mutex::new(LruCache::new(CAPACITY)))
    }

    pub(super) fn get(&self, digest: &BearerDigest) -> Option<VerifiedToken> {
        self.lock().get(digest).cloned()
    }

    pub(super) fn insert(&self, digest: BearerDigest, token: VerifiedToken) {
        self.lock().insert(digest, token);
    }

    pub(super) fn remove(&self, digest: &BearerDigest) {
        self.lock().remove(digest);
    }

    /// Forgets all tokens of a user.
    pub(super) fn forget(&self, user_id: &UserId) {
        self.lock().retain(|_, token| token.user.user_id() != Some(user_id));
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<BearerDigest, VerifiedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::bearer_digest::BearerDigests;

    fn token(user: &str) -> VerifiedToken {
        VerifiedToken { user: Principal::user(user.parse().expect("valid")), exp: 1.0, nbf: None }
    }

    #[test]
    fn the_token_used_least_recently_makes_room() {
        let (tokens, digests) = (VerifiedTokens::new(), BearerDigests::new());
        let digest = |index: usize| digests.of(&format!("token-{index}"));
        for index in 0..CAPACITY {
            tokens.insert(digest(index), token("ada"));
        }
        assert!(tokens.get(&digest(0)).is_some());
        tokens.insert(digest(CAPACITY), token("bob"));
        assert_eq!(tokens.len(), CAPACITY);
        assert!(tokens.get(&digest(0)).is_some() && tokens.get(&digest(1)).is_none());
    }

    #[test]
    fn a_user_is_forgotten_with_all_tokens_and_nobody_else() {
        let (tokens, digests) = (VerifiedTokens::new(), BearerDigests::new());
        let [first, second, bobs] = ["first", "second", "bobs"].map(|bearer| digests.of(bearer));
        tokens.insert(first, token("ada"));
        tokens.insert(second, token("ada"));
        tokens.insert(bobs, token("bob"));
        tokens.forget(&"ada".parse().expect("valid"));
        assert_eq!(tokens.len(), 1);
        assert!(tokens.get(&bobs).is_some());
    }
}
