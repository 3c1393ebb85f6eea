use std::fmt::Display;
use std::net::Ipv6Addr;
use std::num::NonZeroU16;
use std::str::FromStr;

use pusher_signer::Signer;

use super::{
    ClientEndpoint, EmbeddedConfig, EngineConfig, EngineEndpoint, RealtimeConfig, Scheme, WebhookConfig,
};
use crate::config::variables::Variables;
use crate::config::{ConfigError, Variable};

const CREDENTIAL: &str = "a text of letters, digits, `-` and `_`";
const ADDRESS: &str = "a name or an address, without scheme and port";
const A_PORT: &str = "a port from 1 to 65535";
const A_SCHEME: &str = "`https` or `http`";

pub(crate) const REALTIME: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_REALTIME",
    method: "with_realtime",
    default: None,
    allowed: "`embedded` or `pusher`",
    purpose: "Which Channels engine delivers live events: the embedded broker, or pusher.com or a compatible engine. \
              By default `pusher` if `PUSHER_HOST` or `PUSHER_APP_CLUSTER` is set, otherwise `embedded`.",
};
pub(crate) const APP_ID: Variable = Variable {
    name: "PUSHER_APP_ID",
    method: "with_realtime",
    default: None,
    allowed: CREDENTIAL,
    purpose: "The id of the Channels app. Required for `pusher`; by default generated for the embedded broker.",
};
pub(crate) const APP_KEY: Variable = Variable {
    name: "PUSHER_APP_KEY",
    method: "with_realtime",
    default: None,
    allowed: CREDENTIAL,
    purpose: "The key of the Channels app. Required for `pusher`; by default generated for the embedded broker.",
};
pub(crate) const APP_SECRET: Variable = Variable {
    name: "PUSHER_APP_SECRET",
    method: "with_realtime",
    default: None,
    allowed: "any text",
    purpose: "The secret of the Channels app. Required for `pusher`; by default generated for the embedded broker.",
};
pub(crate) const APP_CLUSTER: Variable = Variable {
    name: "PUSHER_APP_CLUSTER",
    method: "with_realtime",
    default: None,
    allowed: "a name like `eu`",
    purpose: "The cluster of pusher.com.",
};
pub(crate) const HOST: Variable = Variable {
    name: "PUSHER_HOST",
    method: "with_realtime",
    default: None,
    allowed: ADDRESS,
    purpose: "The host of a Channels engine other than pusher.com.",
};
pub(crate) const PORT: Variable = Variable {
    name: "PUSHER_PORT",
    method: "with_realtime",
    default: None,
    allowed: A_PORT,
    purpose: "The port of that engine. By default 443, or 80 for `http`.",
};
pub(crate) const SCHEME: Variable = Variable {
    name: "PUSHER_SCHEME",
    method: "with_realtime",
    default: Some("https"),
    allowed: A_SCHEME,
    purpose: "Whether the server uses TLS to that engine.",
};
pub(crate) const CLIENT_HOST: Variable = Variable {
    name: "PUSHER_CLIENT_HOST",
    method: "with_realtime",
    default: None,
    allowed: ADDRESS,
    purpose: "The host at which clients reach the engine, if it differs from `PUSHER_HOST` or, with the embedded broker, \
              from the server's.",
};
pub(crate) const CLIENT_PORT: Variable = Variable {
    name: "PUSHER_CLIENT_PORT",
    method: "with_realtime",
    default: None,
    allowed: A_PORT,
    purpose: "The port at which clients reach the engine. By default `PUSHER_PORT`, or the scheme's.",
};
pub(crate) const CLIENT_SCHEME: Variable = Variable {
    name: "PUSHER_CLIENT_SCHEME",
    method: "with_realtime",
    default: None,
    allowed: A_SCHEME,
    purpose: "Whether clients use TLS to the engine. By default as `PUSHER_SCHEME`.",
};
pub(crate) const WEBHOOKS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_WEBHOOKS",
    method: "with_realtime",
    default: None,
    allowed: "a JSON array of URLs and of objects with `url`, `event_types`, `filter` and `headers`",
    purpose: "Where the embedded broker sends webhooks.",
};
pub(crate) const BROKER_ORIGINS: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_BROKER_ORIGINS",
    method: "with_realtime",
    default: None,
    allowed: "origins like `https://app.example.com` or `https://*.example.com`, or hosts like `app.example.com`, separated by commas",
    purpose: "The web pages that may connect to the embedded broker. By default all; programs that send no `Origin` always may.",
};
pub(crate) const TRUSTED_PROXIES: Variable = Variable {
    name: "INTERNAL_NOTIFICATIONS_TRUSTED_PROXIES",
    method: "with_realtime",
    default: None,
    allowed: "addresses and networks like `10.0.0.7` or `10.0.0.0/8`, separated by commas",
    purpose: "The proxies whose `X-Forwarded-For` the embedded broker believes when it counts the connections of an address. None by default.",
};

impl RealtimeConfig {
    pub(crate) fn from_env(variables: &Variables<'_>) -> Result<Self, ConfigError> {
        let server = PartialEndpoint::from_env(variables, [&HOST, &PORT, &SCHEME])?;
        let client = PartialEndpoint::from_env(variables, [&CLIENT_HOST, &CLIENT_PORT, &CLIENT_SCHEME])?;
        let cluster = variables.text(&APP_CLUSTER);
        let is_engine = match variables.text(&REALTIME).as_deref() {
            None => server.host.is_some() || cluster.is_some(),
            Some("embedded") => false,
            Some("pusher") => true,
            Some(other) => return Err(ConfigError::not_allowed(&REALTIME, other)),
        };
        if !is_engine {
            return Ok(Self::Embedded(EmbeddedConfig {
                app_id: credential(variables, &APP_ID)?,
                app_key: credential(variables, &APP_KEY)?,
                app_secret: variables.secret(&APP_SECRET),
                client: client.client_endpoint(&PartialEndpoint::default())?,
                webhooks: webhooks(variables)?,
                allowed_origins: list(variables, &BROKER_ORIGINS)?,
                trusted_proxies: list(variables, &TRUSTED_PROXIES)?,
            }));
        }
        let is_set = |variable: &&Variable| variables.text(variable).is_some();
        if let Some(variable) = [&BROKER_ORIGINS, &TRUSTED_PROXIES, &WEBHOOKS].into_iter().find(is_set) {
            return Err(ConfigError::new(variable, "applies only to the embedded broker; unset it"));
        }
        let (endpoint, client) = match (server.endpoint(), cluster) {
            (Some(host), _) => (EngineEndpoint::Host(host), client.client_endpoint(&server)?),
            (None, Some(cluster)) => {
                let client = client.client_endpoint(&PartialEndpoint::default())?;
                (EngineEndpoint::Cluster(checked_cluster(cluster)?), client)
            }
            (None, None) => return Err(missing(&APP_CLUSTER, "a cluster of pusher.com, or PUSHER_HOST")),
        };
        let key = credential(variables, &APP_KEY)?.ok_or_else(|| missing(&APP_KEY, "the app's key"))?;
        let secret = variables.secret(&APP_SECRET).ok_or_else(|| missing(&APP_SECRET, "the app's secret"))?;
        let app_id = credential(variables, &APP_ID)?.ok_or_else(|| missing(&APP_ID, "the app's id"))?;
        let signer = Signer::new(key, &secret);
        Ok(Self::Engine(Box::new(EngineConfig { app_id, signer, endpoint, client })))
    }
}

fn webhooks(variables: &Variables<'_>) -> Result<Vec<WebhookConfig>, ConfigError> {
    let list = variables.text(&WEBHOOKS).map(|list| WebhookConfig::list(&list));
    list.unwrap_or(Ok(Vec::new())).map_err(ConfigError::webhook)
}

/// Returns the parsed parts of a list. A list without parts, like `,`, is refused: to ignore it
/// could lift a restriction.
fn list<T>(variables: &Variables<'_>, variable: &Variable) -> Result<Vec<T>, ConfigError>
where
    T: FromStr<Err: Display>,
{
    let parts = variables.list(variable);
    if parts.is_empty() {
        return match variables.text(variable) {
            Some(text) => Err(ConfigError::not_allowed(variable, &text)),
            None => Ok(Vec::new()),
        };
    }
    let problem = |error: T::Err| ConfigError::new(variable, error.to_string());
    parts.iter().map(|part| part.parse().map_err(problem)).collect()
}

fn missing(variable: &Variable, what: &str) -> ConfigError {
    ConfigError::new(variable, format!("{} is pusher, which requires {what}", REALTIME.name))
}

/// An endpoint of which some parts may be unset.
#[derive(Default)]
struct PartialEndpoint {
    host: Option<String>,
    port: Option<NonZeroU16>,
    scheme: Option<Scheme>,
}

impl PartialEndpoint {
    fn from_env(
        variables: &Variables<'_>,
        [host, port, scheme]: [&Variable; 3],
    ) -> Result<Self, ConfigError> {
        let (port, scheme) = (variables.parsed(port)?, variables.parsed(scheme)?);
        let name = variables.text(host);
        match name.as_ref().filter(|name| !is_host(name)) {
            Some(name) => Err(ConfigError::not_allowed(host, name)),
            None => Ok(Self { host: name, port, scheme }),
        }
    }

    /// Returns the endpoint, or `None` without a host. The scheme is HTTPS and the port the
    /// scheme's unless they are set.
    fn endpoint(&self) -> Option<ClientEndpoint> {
        let host = self.host.clone()?;
        let scheme = self.scheme.unwrap_or(Scheme::Https);
        let port = self.port.map_or(scheme.default_port(), NonZeroU16::get);
        Some(ClientEndpoint { host, port, scheme })
    }

    /// Returns the clients' endpoint, with the server's parts for what is unset, or `None` if
    /// nothing is set.
    fn client_endpoint(self, server: &Self) -> Result<Option<ClientEndpoint>, ConfigError> {
        let set = match self {
            Self { host: None, port: None, scheme: None } => return Ok(None),
            Self { port: Some(_), .. } => CLIENT_PORT,
            _ => CLIENT_SCHEME,
        };
        let whole = Self {
            host: self.host.or_else(|| server.host.clone()),
            port: self.port.or(server.port),
            scheme: self.scheme.or(server.scheme),
        };
        match whole.endpoint() {
            Some(endpoint) => Ok(Some(endpoint)),
            None => Err(ConfigError::new(&set, format!("set {} too", CLIENT_HOST.name))),
        }
    }
}

/// Returns whether the text can be a host: a name or an address. Only IPv6 addresses contain
/// colons, and they may have brackets.
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
        false => Err(ConfigError::not_allowed(&APP_CLUSTER, &cluster)),
    }
}

/// Returns an id or key, which becomes part of a URL's path.
fn credential(variables: &Variables<'_>, variable: &Variable) -> Result<Option<String>, ConfigError> {
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match variables.text(variable) {
        Some(text) if !is_plain(&text) => Err(ConfigError::not_allowed(variable, &text)),
        text => Ok(text),
    }
}
