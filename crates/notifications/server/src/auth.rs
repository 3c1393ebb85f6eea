//! Authentication and authorization of callers.

mod api_keys;
mod authenticator;
mod bearer_digest;
mod crypto;
mod jwt;
mod keys_and_tokens;
mod policy;
mod principal;
mod token;
mod verified_tokens;

pub use authenticator::{AuthError, Authenticator};
pub use keys_and_tokens::KeysAndTokens;
pub use policy::{Policy, PushScope, Refusal};
pub use principal::Principal;
pub use token::TokenIssuer;

/// The scope that lets an app user's token push to other users. It is one element of the claim
/// `scope`, a list separated by spaces (RFC 8693, §4.2).
pub const PUSH_SCOPE: &str = "notifications:push";
