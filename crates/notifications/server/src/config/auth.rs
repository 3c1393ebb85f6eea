use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::ConfigError;
use super::variables::Variables;
use crate::auth::PublicKey;

const SECRET: &str = "INTERNAL_NOTIFICATIONS_JWT_SECRET";
const PUBLIC_KEY_FILE: &str = "INTERNAL_NOTIFICATIONS_JWT_PUBLIC_KEY_FILE";
const API_KEYS: &str = "INTERNAL_NOTIFICATIONS_API_KEYS";

/// The fewest bytes of a secret or an API key.
const SECRET_BYTES: usize = 32;
/// The most bytes of a public key's file.
const KEY_FILE_BYTES: u64 = 64 * 1024;

/// Who may come in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AuthConfig {
    /// How app users prove who they are. Without it, on loopback, a secret is made and kept in the database; elsewhere there are no app users.
    pub jwt: Option<JwtKey>,
    /// What a token must say besides.
    pub claims: RequiredClaims,
    /// The backends.
    pub api_keys: Vec<ApiKey>,
}

/// What tokens must say, when set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredClaims {
    /// Their `iss`.
    pub issuer: Option<String>,
    /// Their `aud`, or one of them.
    pub audience: Option<String>,
}

/// What tokens are signed with. It pins the algorithm.
#[derive(Clone)]
#[non_exhaustive]
pub enum JwtKey {
    /// HS256.
    Secret(String),
    /// RS256, ES256 or EdDSA, as the key is.
    Public(PublicKey),
}

/// A backend's key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiKey {
    /// The name of the backend, for the `sender` of what it pushes.
    pub name: String,
    /// The bearer.
    pub key: String,
}

impl AuthConfig {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let jwt = match (variables.secret(SECRET), variables.text(PUBLIC_KEY_FILE)) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    PUBLIC_KEY_FILE,
                    format!("set either this or {SECRET}, not both"),
                ));
            }
            (Some(secret), None) => Some(JwtKey::secret(secret)?),
            (None, Some(path)) => Some(JwtKey::Public(read_public_key(path.as_ref())?)),
            (None, None) => None,
        };
        Ok(Self {
            jwt,
            claims: RequiredClaims {
                issuer: variables.text("INTERNAL_NOTIFICATIONS_JWT_ISSUER"),
                audience: variables.text("INTERNAL_NOTIFICATIONS_JWT_AUDIENCE"),
            },
            api_keys: read_api_keys(&variables.list(API_KEYS))?,
        })
    }
}

impl JwtKey {
    /// A secret for HS256.
    ///
    /// # Errors
    /// It has fewer than 32 bytes.
    pub fn secret(secret: impl Into<String>) -> Result<Self, ConfigError> {
        let secret = secret.into();
        match secret.len() < SECRET_BYTES {
            true => Err(ConfigError::new(
                SECRET,
                format!("it has {} bytes; at least {SECRET_BYTES} are needed", secret.len()),
            )),
            false => Ok(Self::Secret(secret)),
        }
    }
}

impl ApiKey {
    /// A backend's key.
    ///
    /// # Errors
    /// The name is empty or not printable, or the key has fewer than 32 bytes or some that no header may have.
    pub fn new(name: impl Into<String>, key: impl Into<String>) -> Result<Self, ConfigError> {
        let (name, key) = (name.into(), key.into());
        let wrong = |problem: String| Err(ConfigError::new(API_KEYS, problem));
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return wrong("a name is 1 to 64 printable characters; it may be name:key,name:key".to_owned());
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong(format!("the key of {name:?} may only have visible ASCII characters"));
        }
        if key.len() < SECRET_BYTES {
            return wrong(format!(
                "the key of {name:?} has {} bytes; at least {SECRET_BYTES} are needed",
                key.len()
            ));
        }
        Ok(Self { name, key })
    }
}

fn read_public_key(path: &Path) -> Result<PublicKey, ConfigError> {
    let wrong = |problem: String| ConfigError::new(PUBLIC_KEY_FILE, format!("{}: {problem}", path.display()));
    let mut pem = Vec::new();
    File::open(path)
        .and_then(|file| file.take(KEY_FILE_BYTES + 1).read_to_end(&mut pem))
        .map_err(|error| wrong(error.to_string()))?;
    if pem.len() as u64 > KEY_FILE_BYTES {
        return Err(wrong("the file is too large for a key".to_owned()));
    }
    PublicKey::from_pem(&pem).map_err(|problem| wrong(problem.to_owned()))
}

fn read_api_keys(parts: &[String]) -> Result<Vec<ApiKey>, ConfigError> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Some((name, key)) = part.split_once(':') else {
            let problem = format!("entry {} has no colon; it may be name:key,name:key", index + 1);
            return Err(ConfigError::new(API_KEYS, problem));
        };
        let key = ApiKey::new(name, key)?;
        if let Some(other) = keys.iter().find(|other| other.name == key.name || other.key == key.key) {
            let problem = format!("{:?} and {:?} have the same name or the same key", other.name, key.name);
            return Err(ConfigError::new(API_KEYS, problem));
        }
        keys.push(key);
    }
    Ok(keys)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(_) => f.write_str("Secret(..)"),
            Self::Public(key) => f.debug_tuple("Public").field(key).finish(),
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("name", &self.name).finish_non_exhaustive()
    }
}
