use std::fmt;
use std::net::Ipv6Addr;
use std::num::NonZeroU16;
use std::str::FromStr;

use pusher_signer::Signer;

use super::ConfigError;
use super::variables::Variables;

const REALTIME: &str = "INTERNAL_NOTIFICATIONS_REALTIME";
const APP_ID: &str = "PUSHER_APP_ID";
const APP_KEY: &str = "PUSHER_APP_KEY";
const APP_SECRET: &str = "PUSHER_APP_SECRET";
const CLUSTER: &str = "PUSHER_APP_CLUSTER";
const SERVER: [&str; 3] = ["PUSHER_HOST", "PUSHER_PORT", "PUSHER_SCHEME"];
const CLIENT: [&str; 3] = ["PUSHER_CLIENT_HOST", "PUSHER_CLIENT_PORT", "PUSHER_CLIENT_SCHEME"];
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
    /// Where clients reach the broker, when that is not where they reach this server. Of a host alone it is HTTPS.
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
    /// Where clients reach it, when that is somewhere else. What is not given is as in `endpoint`.
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
        let server = Given::from_env(variables, SERVER)?;
        let cluster = variables.text(CLUSTER);
        let engine = match variables.text(REALTIME).as_deref() {
            None => server.host.is_some() || cluster.is_some(),
            Some("embedded") => false,
            Some("pusher") => true,
            Some(other) => {
                let problem = format!("{other:?} is not allowed; it may be embedded or pusher");
                return Err(ConfigError::new(REALTIME, problem));
            }
        };
        let client = Given::from_env(variables, CLIENT)?;
        if !engine {
            let client = client.endpoint_or(&Given::default())?;
            return Ok(Self::Embedded(EmbeddedConfig {
                app_id: segment(variables, APP_ID)?,
                app_key: segment(variables, APP_KEY)?,
                app_secret: variables.secret(APP_SECRET),
                client,
            }));
        }
        let (endpoint, client) = match (server.endpoint(), cluster) {
            (Some(host), _) => (EngineEndpoint::Host(host), client.endpoint_or(&server)?),
            (None, Some(cluster)) => {
                (EngineEndpoint::Cluster(checked_cluster(cluster)?), client.endpoint_or(&Given::default())?)
            }
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

/// What is said of an endpoint.
#[derive(Default)]
struct Given {
    host: Option<String>,
    port: Option<NonZeroU16>,
    scheme: Option<Scheme>,
}

impl Given {
    fn from_env(
        variables: &Variables<'_>,
        [host, port, scheme]: [&'static str; 3],
    ) -> Result<Self, ConfigError> {
        let (port, scheme) = (variables.parsed(port, PORTS)?, variables.parsed(scheme, SCHEMES)?);
        let name = variables.text(host);
        if let Some(name) = name.as_ref().filter(|name| !is_host(name)) {
            let problem =
                format!("{name:?} is not allowed; it may be a name or an address, without scheme and port");
            return Err(ConfigError::new(host, problem));
        }
        Ok(Self { host: name, port, scheme })
    }

    /// None without a host. The scheme is HTTPS and the port the scheme's, unless they are given.
    fn endpoint(&self) -> Option<ClientEndpoint> {
        let host = self.host.clone()?;
        let scheme = self.scheme.unwrap_or(Scheme::Https);
        Some(ClientEndpoint { host, port: self.port.map_or(scheme.port(), NonZeroU16::get), scheme })
    }

    /// The endpoint of clients, with the server's for what is not given; none when nothing is.
    fn endpoint_or(self, server: &Self) -> Result<Option<ClientEndpoint>, ConfigError> {
        let [host, port, scheme] = CLIENT;
        let given = match self {
            Self { host: None, port: None, scheme: None } => return Ok(None),
            Self { port: Some(_), .. } => port,
            _ => scheme,
        };
        let whole = Self {
            host: self.host.or_else(|| server.host.clone()),
            port: self.port.or(server.port),
            scheme: self.scheme.or(server.scheme),
        };
        match whole.endpoint() {
            Some(endpoint) => Ok(Some(endpoint)),
            None => Err(ConfigError::new(given, format!("it goes with {host}, which is needed"))),
        }
    }
}

/// Whether it may be a host: a name, or an address, an IPv6 one also in brackets. The only colons are an IPv6 address's.
fn is_host(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None if name.contains(':') => name.parse::<Ipv6Addr>().is_ok(),
        None => !name.contains(['/', '@', '[', ']']) && !name.chars().any(char::is_whitespace),
    }
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
