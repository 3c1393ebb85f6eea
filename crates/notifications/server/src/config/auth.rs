use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::variables::Variables;
use super::{ConfigError, PublicKey, Variable};

pub(crate) const JWT_SECRET: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_JWT_SECRET",
    method: "with_auth",
    default: None,
    allowed: "a text of at least 32 bytes",
    purpose: "The secret that verifies the tokens of app users (HS256). If no JWT key is set, a server on loopback \
              generates a secret and stores it in its database; elsewhere, app users have no access.",
};
pub(crate) const JWT_PUBLIC_KEY_FILE: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE",
    method: "with_auth",
    default: None,
    allowed: "the path of a PEM file with an RSA, P-256 or Ed25519 public key",
    purpose: "The public key that verifies the tokens of app users (RS256, ES256 or EdDSA), instead of a secret.",
};
pub(crate) const JWT_ISSUER: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_JWT_ISSUER",
    method: "with_auth",
    default: None,
    allowed: "any text",
    purpose: "The `iss` that tokens must have. Not checked by default.",
};
pub(crate) const JWT_AUDIENCE: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_JWT_AUDIENCE",
    method: "with_auth",
    default: None,
    allowed: "any text",
    purpose: "The `aud` that tokens must have. Not checked by default.",
};
pub(crate) const API_KEYS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_API_KEYS",
    method: "with_auth",
    default: None,
    allowed: "NAME:KEY pairs, separated by commas, with keys of at least 32 visible ASCII characters",
    purpose: "The API keys of backends. A key's name becomes the sender of what the backend pushes.",
};

/// The fewest bytes of a secret or an API key.
const MIN_SECRET_BYTES: usize = 32;
/// The most bytes of a public key file.
const MAX_KEY_FILE_BYTES: u64 = 64 * 1024;

/// Which credentials the server accepts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuthConfig {
    /// The key that verifies the tokens of app users. Without one, [`Server`](crate::Server) on
    /// loopback generates a secret and stores it in the database; elsewhere, app users have no
    /// access.
    pub jwt: Option<JwtKey>,
    /// The claims that tokens must have.
    pub claims: RequiredClaims,
    /// The API keys of backends.
    pub api_keys: Vec<ApiKey>,
}

/// The claims that tokens must have. A claim that is `None` is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredClaims {
    /// The `iss` claim.
    pub issuer: Option<String>,
    /// The `aud` claim, or one of its elements.
    pub audience: Option<String>,
}

/// The key that verifies tokens. It determines the only accepted algorithm.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JwtKey {
    /// A secret, for HS256. [`JwtKey::secret`] makes it.
    Secret(JwtSecret),
    /// A public key, for RS256, ES256 or EdDSA.
    Public(PublicKey),
}

/// A secret of at least 32 bytes.
#[derive(Clone)]
pub struct JwtSecret(pub(crate) String);

/// The API key of a backend.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The name of the key, which becomes the `sender` of what the backend pushes: `key:NAME`.
    pub(crate) name: String,
    /// The key itself.
    pub(crate) key: String,
}

impl AuthConfig {
    /// Accepts no credentials yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts the tokens that this key verifies.
    #[must_use]
    pub fn with_jwt(self, key: JwtKey) -> Self {
        Self { jwt: Some(key), ..self }
    }

    /// Requires claims in tokens.
    #[must_use]
    pub fn with_claims(self, claims: RequiredClaims) -> Self {
        Self { claims, ..self }
    }

    /// Accepts a further API key.
    #[must_use]
    pub fn with_api_key(mut self, key: ApiKey) -> Self {
        self.api_keys.push(key);
        self
    }

    /// Returns whether no credentials are accepted.
    pub fn is_empty(&self) -> bool {
        self.jwt.is_none() && self.api_keys.is_empty()
    }

    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let jwt = match (variables.secret(&JWT_SECRET), variables.text(&JWT_PUBLIC_KEY_FILE)) {
            (Some(_), Some(_)) => {
                let problem = format!("set either this or {}, not both", JWT_SECRET.name);
                return Err(ConfigError::new(&JWT_PUBLIC_KEY_FILE, problem));
            }
            (Some(secret), None) => Some(JwtKey::secret(secret)?),
            (None, Some(path)) => Some(JwtKey::Public(read_public_key(path.as_ref())?)),
            (None, None) => None,
        };
        let claims =
            RequiredClaims { issuer: variables.text(&JWT_ISSUER), audience: variables.text(&JWT_AUDIENCE) };
        Ok(Self { jwt, claims, api_keys: read_api_keys(&variables.list(&API_KEYS))? })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (index, key) in self.api_keys.iter().enumerate() {
            let same = |other: &&ApiKey| other.name == key.name || other.key == key.key;
            if let Some(other) = self.api_keys.iter().take(index).find(same) {
                let problem =
                    format!("{:?} and {:?} have the same name or the same key", other.name, key.name);
                return Err(ConfigError::new(&API_KEYS, problem));
            }
        }
        Ok(())
    }
}

impl RequiredClaims {
    /// Requires no claims yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires this `iss`.
    #[must_use]
    pub fn with_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// Requires this `aud`.
    #[must_use]
    pub fn with_audience(self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self }
    }
}

impl JwtKey {
    /// Returns a secret for HS256.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if it has fewer than 32 bytes.
    pub fn secret(secret: impl Into<String>) -> Result<Self, ConfigError> {
        let secret = secret.into();
        match secret.len() < MIN_SECRET_BYTES {
            true => Err(ConfigError::new(
                &JWT_SECRET,
                format!("it has {} bytes, but needs at least {MIN_SECRET_BYTES}", secret.len()),
            )),
            false => Ok(Self::Secret(JwtSecret(secret))),
        }
    }
}

impl ApiKey {
    /// Returns the API key of a backend.
    ///
    /// # Errors
    /// Returns a [`ConfigError`] if the name is empty, longer than 64 characters or not printable,
    /// or if the key has fewer than 32 bytes or other characters than visible ASCII.
    pub fn new(name: impl Into<String>, key: impl Into<String>) -> Result<Self, ConfigError> {
        let (name, key) = (name.into(), key.into());
        let wrong = |problem: String| Err(ConfigError::new(&API_KEYS, problem));
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return wrong(
                "a name must have 1 to 64 printable characters; write NAME:KEY,NAME:KEY".to_owned(),
            );
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong(format!("the key of {name:?} may only contain visible ASCII characters"));
        }
        if key.len() < MIN_SECRET_BYTES {
            let bytes = key.len();
            return wrong(format!(
                "the key of {name:?} has {bytes} bytes, but needs at least {MIN_SECRET_BYTES}"
            ));
        }
        Ok(Self { name, key })
    }
}

fn read_public_key(path: &Path) -> Result<PublicKey, ConfigError> {
    let wrong =
        |problem: &str| ConfigError::new(&JWT_PUBLIC_KEY_FILE, format!("{}: {problem}", path.display()));
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_KEY_FILE_BYTES + 1).read_to_end(&mut pem))
        .map_err(|error| wrong("the file cannot be read").with_source(error))?;
    if pem.len() as u64 > MAX_KEY_FILE_BYTES {
        return Err(wrong("the file is too large for a key"));
    }
    PublicKey::from_pem(&pem).map_err(wrong)
}

fn read_api_keys(parts: &[String]) -> Result<Vec<ApiKey>, ConfigError> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Some((name, key)) = part.split_once(':') else {
            let problem = format!("entry {} has no colon; write NAME:KEY,NAME:KEY", index + 1);
            return Err(ConfigError::new(&API_KEYS, problem));
        };
        keys.push(ApiKey::new(name, key)?);
    }
    Ok(keys)
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret(..)")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).finish_non_exhaustive()
    }
}
