use std::fmt;
use std::str::FromStr;

use pusher_signer::Signer;

use super::ConfigError;
use super::variables::Variables;

const REALTIME: &str = "INTERNAL_NOTIFICATIONS_REALTIME";
const APP_ID: &str = "PUSHER_APP_ID";
const APP_KEY: &str = "PUSHER_APP_KEY";
const APP_SECRET: &str = "PUSHER_APP_SECRET";
const CLUSTER: &str = "PUSHER_APP_CLUSTER";
const PORTS: &str = "a port from 1 to 65535";
const SCHEMES: &str = "https or http";

/// How changes reach clients.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RealtimeConfig {
    /// A Channels broker inside this server.
    Embedded(EmbeddedConfig),
    /// A Channels engine elsewhere, over its HTTP API.
    Engine(Box<EngineConfig>),
}

/// The embedded broker. What is not given is made once and kept in the database.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct EmbeddedConfig {
    /// The app's id.
    pub app_id: Option<String>,
    /// The app's key.
    pub app_key: Option<String>,
    /// The app's secret.
    pub app_secret: Option<String>,
    /// Where clients reach the broker, when that is not where they reach this server.
    pub client: Option<ClientEndpoint>,
}

/// A Channels engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EngineConfig {
    /// The app's id.
    pub app_id: String,
    /// The app's key and secret.
    pub signer: Signer,
    /// Where its HTTP API is.
    pub endpoint: EngineEndpoint,
    /// Where clients reach it, when that is somewhere else.
    pub client: Option<ClientEndpoint>,
}

/// Where an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineEndpoint {
    /// A cluster of pusher.com.
    Cluster(String),
    /// A host of one's own.
    Host(ClientEndpoint),
}

/// A host, port and scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientEndpoint {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// With TLS or without.
    pub scheme: Scheme,
}

/// With TLS or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// TLS.
    Https,
    /// No TLS.
    Http,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

impl FromStr for Scheme {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "https" => Ok(Self::Https),
            "http" => Ok(Self::Http),
            _ => Err(()),
        }
    }
}

impl RealtimeConfig {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let host = endpoint(variables, ["PUSHER_HOST", "PUSHER_PORT", "PUSHER_SCHEME"])?;
        let cluster = variables.text(CLUSTER);
        let engine = match variables.text(REALTIME).as_deref() {
            None => host.is_some() || cluster.is_some(),
            Some("embedded") => false,
            Some("pusher") => true,
            Some(other) => {
                let problem = format!("{other:?} is not allowed; it may be embedded or pusher");
                return Err(ConfigError::new(REALTIME, problem));
            }
        };
        let client = ["PUSHER_CLIENT_HOST", "PUSHER_CLIENT_PORT", "PUSHER_CLIENT_SCHEME"];
        let client = endpoint(variables, client)?;
        if !engine {
            return Ok(Self::Embedded(EmbeddedConfig {
                app_id: segment(variables, APP_ID)?,
                app_key: segment(variables, APP_KEY)?,
                app_secret: variables.secret(APP_SECRET),
                client,
            }));
        }
        let endpoint = match (host, cluster) {
            (Some(host), _) => EngineEndpoint::Host(host),
            (None, Some(cluster)) => EngineEndpoint::Cluster(checked_cluster(cluster)?),
            (None, None) => return Err(missing(CLUSTER, "a cluster of pusher.com, or else PUSHER_HOST")),
        };
        let key = segment(variables, APP_KEY)?.ok_or_else(|| missing(APP_KEY, "the app's key"))?;
        let secret = variables.secret(APP_SECRET).ok_or_else(|| missing(APP_SECRET, "the app's secret"))?;
        Ok(Self::Engine(Box::new(EngineConfig {
            app_id: segment(variables, APP_ID)?.ok_or_else(|| missing(APP_ID, "the app's id"))?,
            signer: Signer::new(key, &secret),
            endpoint,
            client,
        })))
    }
}

fn missing(name: &'static str, what: &str) -> ConfigError {
    ConfigError::new(name, format!("{REALTIME} is pusher, which needs {what}"))
}

fn endpoint(
    variables: &Variables<'_>,
    [host, port, scheme]: [&'static str; 3],
) -> Result<Option<ClientEndpoint>, ConfigError> {
    let scheme: Scheme = variables.parsed(scheme, SCHEMES)?.unwrap_or(Scheme::Https);
    let port: Option<std::num::NonZeroU16> = variables.parsed(port, PORTS)?;
    let Some(name) = variables.text(host) else { return Ok(None) };
    if name.contains(['/', '@']) || name.chars().any(char::is_whitespace) {
        let problem =
            format!("{name:?} is not allowed; it may be a name or an address, without scheme and port");
        return Err(ConfigError::new(host, problem));
    }
    let port = port.map_or_else(|| scheme.port(), std::num::NonZeroU16::get);
    Ok(Some(ClientEndpoint { host: name, port, scheme }))
}

fn checked_cluster(cluster: String) -> Result<String, ConfigError> {
    match cluster.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        true => Ok(cluster),
        false => {
            Err(ConfigError::new(CLUSTER, format!("{cluster:?} is not allowed; it may be a name like eu")))
        }
    }
}

/// A value that becomes a part of a URL's path.
fn segment(variables: &Variables<'_>, name: &'static str) -> Result<Option<String>, ConfigError> {
    let plain =
        |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match variables.text(name) {
        Some(text) if !plain(&text) => Err(ConfigError::new(
            name,
            format!("{text:?} is not allowed; it may be letters, digits, - and _"),
        )),
        text => Ok(text),
    }
}

impl fmt::Debug for EmbeddedConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedConfig")
            .field("app_id", &self.app_id)
            .field("app_key", &self.app_key)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
