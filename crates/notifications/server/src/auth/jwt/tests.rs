use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use internal_notifications_models::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;
use crate::auth::TokenIssuer;
use crate::auth::bearer_digest::BearerDigests;
use crate::config::PublicKey;

const SECRET: &str = "a-secret-of-thirty-two-bytes-or-so";
const NOW: i64 = 1_800_000_000;

/// Shows the second that a test has set.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("in range")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct Check {
    tokens: TokenCheck,
    digests: BearerDigests,
    clock: Arc<SetClock>,
}

impl Check {
    fn check(&self, token: &str) -> Result<Principal, AuthError> {
        self.tokens.check(token, &self.digests.of(token))
    }

    fn remembered(&self) -> usize {
        self.tokens.verified.as_ref().map_or(0, VerifiedTokens::len)
    }

    fn set_clock(&self, second: i64) {
        self.clock.0.store(second, Ordering::Relaxed);
    }
}

fn check_with(key: &JwtKey, claims: RequiredClaims) -> Check {
    let clock = Arc::new(SetClock(AtomicI64::new(NOW)));
    Check { tokens: TokenCheck::new(key, claims, clock.clone()), digests: BearerDigests::new(), clock }
}

fn check() -> Check {
    check_with(&JwtKey::secret(SECRET).expect("long"), RequiredClaims::default())
}

fn signed(claims: &Value) -> String {
    crypto::install();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).expect("it can be signed")
}

fn refused(claims: &Value) -> String {
    check().check(&signed(claims)).expect_err("it must be refused").to_string()
}

fn public(name: &str) -> (JwtKey, &'static str) {
    let (pem, token) = match name {
        "RS256" => {
            (include_str!("../../../tests/keys/RS256.pub"), include_str!("../../../tests/keys/RS256.jwt"))
        }
        "ES256" => {
            (include_str!("../../../tests/keys/ES256.pub"), include_str!("../../../tests/keys/ES256.jwt"))
        }
        _ => (include_str!("../../../tests/keys/EdDSA.pub"), include_str!("../../../tests/keys/EdDSA.jwt")),
    };
    (JwtKey::Public(PublicKey::from_pem(pem.as_bytes()).expect("a public key")), token.trim())
}

/// Tokens are accepted for a minute after their expiry, because clocks differ.
fn until(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

#[test]
fn a_token_that_expires_after_the_last_timestamp_never_expires() {
    for exp in [json!(253_402_300_800_i64), json!(u64::MAX), json!(1e18)] {
        let user = check().check(&signed(&json!({"sub": "ada", "exp": exp}))).expect("good");
        assert!(matches!(user, Principal::User { expires_at: None, .. }), "{exp}");
    }
    // Not even a number of seconds.
    assert!(refused(&json!({"sub": "ada", "exp": 1e300})).contains("not valid"));
}

#[test]
fn a_valid_token_identifies_its_user() {
    let user = check().check(&signed(&json!({"sub": "ada", "exp": NOW + 1}))).expect("good");
    assert_eq!(user.to_string(), "user:ada");
    assert_eq!(user, Principal::user(UserId::new("ada").expect("valid")).with_expiry(until(NOW + 61)));
}

#[test]
fn a_minted_token_is_valid_until_it_expires() {
    let claims = RequiredClaims { issuer: Some("house".into()), audience: Some("inbox".into()) };
    let issuer = TokenIssuer::new(SECRET, claims.clone());
    let check = check_with(&JwtKey::secret(SECRET).expect("long"), claims);
    let ada = UserId::new("ada").expect("valid");
    let mint = |now: i64, push| {
        let now = Timestamp::from_second(now).expect("in range");
        check.check(&issuer.mint(&ada, now, Duration::from_secs(3600), push))
    };
    assert_eq!(
        mint(NOW, true),
        Ok(Principal::user(ada.clone()).with_push(true).with_expiry(until(NOW + 3660)))
    );
    assert_eq!(mint(NOW - 3600, false), Ok(Principal::user(ada.clone()).with_expiry(until(NOW + 60))));
    assert!(mint(NOW - 3661, false).is_err());
}

#[test]
fn the_push_scope_is_an_element_of_a_list() {
    let may_push = |scope: &str| match check()
        .check(&signed(&json!({"sub": "ada", "exp": NOW, "scope": scope})))
        .expect("good")
    {
        Principal::User { may_push, .. } => may_push,
        Principal::Key { .. } => panic!("a token is a user's"),
    };
    assert!(may_push("notifications:push"));
    assert!(may_push("profile notifications:push mail"));
    for other in ["", "notifications:pushing", "xnotifications:push", "notifications:push,mail", "push"] {
        assert!(!may_push(other), "{other}");
    }
}

#[test]
fn expiry_is_required_and_kept_with_a_minute_of_grace() {
    assert!(check().check(&signed(&json!({"sub": "ada", "exp": NOW - 59}))).is_ok());
    assert_eq!(refused(&json!({"sub": "ada", "exp": NOW - 61})), "the token has expired");
    assert!(refused(&json!({"sub": "ada"})).contains("not valid"));
    for exp in [json!(null), json!("4102444800"), json!([NOW]), json!(-1), json!({}), json!(true)] {
        assert!(refused(&json!({"sub": "ada", "exp": exp})).contains("not valid"), "{exp}");
    }
    assert_eq!(refused(&json!({"sub": "ada", "exp": NOW, "nbf": NOW + 61})), "the token is not valid yet");
    assert!(check().check(&signed(&json!({"sub": "ada", "exp": NOW, "nbf": NOW + 59}))).is_ok());
}

#[test]
fn sub_must_be_a_user_id() {
    for sub in [json!(""), json!("a b"), json!("encrypted-x"), json!("x".repeat(121)), json!(7), json!(null)]
    {
        assert!(check().check(&signed(&json!({"sub": sub, "exp": NOW}))).is_err(), "{sub}");
    }
    assert!(check().check(&signed(&json!({"exp": NOW}))).is_err());
}

#[test]
fn issuer_and_audience_are_checked_when_set() {
    let claims = RequiredClaims { issuer: Some("house".into()), audience: Some("inbox".into()) };
    let check = check_with(&JwtKey::secret(SECRET).expect("long"), claims);
    let good = |claims: Value| check.check(&signed(&claims)).is_ok();
    assert!(good(json!({"sub": "ada", "exp": NOW, "iss": "house", "aud": "inbox"})));
    assert!(good(json!({"sub": "ada", "exp": NOW, "iss": "house", "aud": ["other", "inbox"]})));
    for wrong in [
        json!({"sub": "ada", "exp": NOW}),
        json!({"sub": "ada", "exp": NOW, "iss": "house"}),
        json!({"sub": "ada", "exp": NOW, "aud": "inbox"}),
        json!({"sub": "ada", "exp": NOW, "iss": "other", "aud": "inbox"}),
        json!({"sub": "ada", "exp": NOW, "iss": "house", "aud": "other"}),
        json!({"sub": "ada", "exp": NOW, "iss": "house", "aud": []}),
        json!({"sub": "ada", "exp": NOW, "iss": 7, "aud": {"inbox": true}}),
    ] {
        assert!(!good(wrong.clone()), "{wrong}");
    }
}

#[test]
fn each_kind_of_public_key_verifies_its_own_tokens_and_no_others() {
    for name in ["RS256", "ES256", "EdDSA"] {
        let (key, token) = public(name);
        let check = check_with(&key, RequiredClaims::default());
        assert_eq!(check.check(token).map(|user| user.to_string()), Ok("user:ada".into()), "{name}");
        for other in ["RS256", "ES256", "EdDSA"].into_iter().filter(|other| *other != name) {
            assert!(check.check(public(other).1).is_err(), "{other} with a key of {name}");
        }
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let turned: String = signature.chars().rev().collect();
        assert!(check.check(&format!("{head}.{turned}")).is_err());
    }
}

#[test]
fn a_public_key_is_not_accepted_as_a_secret() {
    let (key, _) = public("RS256");
    let pem = include_bytes!("../../../tests/keys/RS256.pub");
    crypto::install();
    let forged = encode(
        &Header::new(Algorithm::HS256),
        &json!({"sub": "ada", "exp": NOW + 60}),
        &EncodingKey::from_secret(pem),
    );
    assert!(check_with(&key, RequiredClaims::default()).check(&forged.expect("signed")).is_err());
}

#[test]
fn other_texts_than_tokens_are_rejected() {
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9.";
    let huge = signed(&json!({"sub": "ada", "exp": NOW, "more": "x".repeat(10_000)}));
    for wrong in
        ["", ".", "..", "a.b.c", none, none.trim_end_matches('.'), &huge, "\u{0}", &"a.".repeat(4000)]
    {
        assert!(check().check(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn only_strong_keys_are_accepted() {
    let taken = |pem: &str| PublicKey::from_pem(pem.as_bytes());
    assert!(taken(include_str!("../../../tests/keys/RS1024.pub")).is_err_and(|error| error.contains("2048")));
    assert!(taken(include_str!("../../../tests/keys/ES384.pub")).is_err_and(|error| error.contains("P-256")));
    assert!(taken("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----").is_err());
    assert!(taken("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----").is_err());
    assert!(taken("").is_err());
    assert!(PublicKey::from_pem(&[0xff, 0xfe]).is_err());
}

#[test]
fn a_remembered_token_is_valid_by_the_clock_of_each_use() {
    let check = check();
    let token = signed(&json!({"sub": "ada", "exp": NOW + 100, "nbf": NOW - 100}));
    assert!(check.check(&token).is_ok());
    assert_eq!(check.remembered(), 1);
    for (second, answer) in [
        (NOW + 159, None),
        (NOW + 160, Some("the token has expired")),
        // Set back.
        (NOW - 160, None),
        (NOW - 161, Some("the token is not valid yet")),
        (NOW + 1_000_000, Some("the token has expired")),
        (NOW, None),
    ] {
        check.set_clock(second);
        let refused = check.check(&token).err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), answer, "{}", second - NOW);
        // What has expired takes no place.
        assert_eq!(check.remembered(), usize::from(answer.is_none()), "{}", second - NOW);
    }
}

#[test]
fn a_changed_token_is_never_taken_for_a_remembered_one() {
    let check = check();
    let (ada, bob) = (signed(&json!({"sub": "ada", "exp": NOW})), signed(&json!({"sub": "bob", "exp": NOW})));
    let known = check.check(&ada).expect("good");
    let (message, signature) = ada.rsplit_once('.').expect("three parts");
    let (bobs_message, bobs_signature) = bob.rsplit_once('.').expect("three parts");
    let mut changed = vec![
        format!("{message}.{bobs_signature}"),
        format!("{bobs_message}.{signature}"),
        format!("{message}."),
        message.to_owned(),
        format!("{ada}="),
        format!("{ada}."),
        ada.to_lowercase(),
    ];
    // Each character becomes another one.
    changed.extend((0..ada.len()).map(|at| {
        let other = |(index, char)| match char {
            'A' if index == at => 'B',
            _ if index == at => 'A',
            char => char,
        };
        ada.chars().enumerate().map(other).collect()
    }));
    for token in changed {
        assert!(check.check(&token).is_err(), "{token}");
    }
    assert_eq!((check.remembered(), check.check(&ada)), (1, Ok(known)));
}

#[test]
fn a_key_knows_only_the_tokens_that_it_has_verified() {
    let (check, token) = (check(), signed(&json!({"sub": "ada", "exp": NOW})));
    assert!(check.check(&token).is_ok());
    let other = JwtKey::secret("another-secret-of-thirty-two-bytes").expect("long");
    let other = check_with(&other, RequiredClaims::default());
    // With the same digests, too.
    assert!(other.tokens.check(&token, &check.digests.of(&token)).is_err());
    assert_eq!(other.remembered(), 0);
}

#[test]
fn only_good_tokens_are_remembered() {
    let check = check();
    for claims in [
        json!({"sub": "ada", "exp": NOW - 61}),
        json!({"sub": "ada", "exp": NOW, "nbf": NOW + 61}),
        json!({"sub": "a b", "exp": NOW}),
        json!({"sub": "ada"}),
    ] {
        assert!(check.check(&signed(&claims)).is_err(), "{claims}");
    }
    assert!(check.check("a.b.c").is_err());
    assert_eq!(check.remembered(), 0);
    let (key, token) = public("EdDSA");
    let check = check_with(&key, RequiredClaims::default());
    assert!(check.check(token).is_ok());
    assert_eq!(check.remembered(), 0);
}

#[test]
fn a_forgotten_user_is_verified_again() {
    let check = check();
    let tokens = ["ada", "bob"].map(|sub| signed(&json!({"sub": sub, "exp": NOW})));
    tokens.iter().for_each(|token| drop(check.check(token).expect("good")));
    check.tokens.forget(&UserId::new("ada").expect("valid"));
    assert_eq!(check.remembered(), 1);
    assert!(tokens.iter().all(|token| check.check(token).is_ok()));
    assert_eq!(check.remembered(), 2);
}

#[test]
fn debug_output_contains_no_secret() {
    let check = check();
    let issuer = TokenIssuer::new(SECRET, RequiredClaims::default());
    let key = JwtKey::secret(SECRET).expect("long");
    for shown in [format!("{:?}", check.tokens), format!("{issuer:?}"), format!("{key:?}")] {
        assert!(!shown.contains("thirty"), "{shown}");
    }
}
