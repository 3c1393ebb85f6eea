//! Who calls, and what they may do.

mod api_keys;
mod authenticator;
mod crypto;
mod jwt;
mod policy;
mod principal;
mod public_key;
mod token;

pub use authenticator::{AuthError, Authenticator, Credentials};
pub use policy::{Policy, PushScope};
pub use principal::Principal;
pub use public_key::PublicKey;
pub use token::TokenIssuer;

/// The scope that lets an app user's token push to others: an element of the claim `scope`, a list with spaces (RFC 8693, §4.2).
pub const PUSH_SCOPE: &str = "notifications:push";
