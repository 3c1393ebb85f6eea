use internal_notifications_models::{EVENT, RealtimeInfo, UserId};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::protocol::ChannelKind;
use pusher_client::{ChannelName, EventName};

/// The Channels app of a live-only service, which has no inbox server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    key: String,
    server: Server,
    prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Server {
    Cluster(String),
    Host { host: String, port: Option<u16>, tls: bool },
}

const KEY: &str = "PUSHER_APP_KEY";
const CLUSTER: &str = "PUSHER_APP_CLUSTER";
const HOST: &str = "PUSHER_HOST";
const PORT: &str = "PUSHER_PORT";
const SCHEME: &str = "PUSHER_SCHEME";
const PREFIX: &str = "INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX";
const DEFAULT_PREFIX: &str = "private-";
/// How long the service waits before it subscribes again to a channel that was rejected.
const RETRY_SECONDS: u64 = 60;

impl Channels {
    /// Creates an app on a cluster of pusher.com: `eu`, `mt1`, …
    pub fn cluster(key: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self::new(key.into(), Server::Cluster(cluster.into()))
    }

    /// Creates an app on another Channels server, named by host name or address. TLS on port 443 by
    /// default.
    pub fn host(key: impl Into<String>, host: impl Into<String>) -> Self {
        Self::new(key.into(), Server::Host { host: host.into(), port: None, tls: true })
    }

    fn new(key: String, server: Server) -> Self {
        Self { key, server, prefix: DEFAULT_PREFIX.to_owned() }
    }

    /// Sets the port of a host. Ignored for a cluster.
    pub fn with_port(mut self, number: u16) -> Self {
        if let Server::Host { port, .. } = &mut self.server {
            *port = Some(number);
        }
        self
    }

    /// Sets whether to use TLS with a host; without it the default port is 80. A cluster always
    /// uses TLS.
    pub fn with_tls(mut self, with: bool) -> Self {
        if let Server::Host { tls, .. } = &mut self.server {
            *tls = with;
        }
        self
    }

    /// Sets the prefix of the user's channel, which the user's id follows. It must begin with
    /// `private-`, which is the default.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Reads the environment; none without `PUSHER_APP_KEY`. A host takes precedence over a
    /// cluster.
    pub(crate) fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ServiceError> {
        let Some(key) = lookup(KEY) else { return Ok(None) };
        let port = lookup(PORT).map(|text| match text.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(wrong(PORT, "must be a port, 1 to 65535")),
        });
        let tls = match lookup(SCHEME).as_deref() {
            None | Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(wrong(SCHEME, "must be https or http")),
        };
        let server = match (lookup(HOST), lookup(CLUSTER)) {
            (Some(host), _) => Server::Host { host, port: port.transpose()?, tls },
            (None, Some(cluster)) => Server::Cluster(cluster),
            (None, None) => {
                return Err(wrong(
                    CLUSTER,
                    "is not set: without INTERNAL_NOTIFICATIONS_URL, set it to a cluster of pusher.com, or set \
                     PUSHER_HOST to another Channels server",
                ));
            }
        };
        let prefix = lookup(PREFIX).unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
        let channels = Self { key, server, prefix };
        channels.check()?;
        Ok(Some(channels))
    }

    /// Checks what does not depend on the user.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        let is_valid = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte))
        };
        let (variable, server) = match &self.server {
            Server::Cluster(cluster) => (CLUSTER, cluster),
            Server::Host { host, .. } => (HOST, host),
        };
        if !is_valid(&self.key) {
            return Err(wrong(KEY, "must be the key of a Channels app"));
        }
        if !is_valid(server) {
            return Err(wrong(variable, "must be the name of a cluster or host"));
        }
        if !self.prefix.starts_with("private-") || private_channel(&format!("{}a", self.prefix)).is_none() {
            return Err(wrong(PREFIX, "must begin with private- and form private channels"));
        }
        Ok(())
    }

    /// Returns the channel information that an inbox server would give a user of this app.
    pub(crate) fn info(
        &self,
        user_id: &UserId,
        event: Option<&EventName>,
    ) -> Result<RealtimeInfo, ServiceError> {
        let channel = private_channel(&format!("{}{user_id}", self.prefix));
        let channel = channel.ok_or_else(|| {
            let detail = "the channel prefix and this user's id do not form a private channel";
            ServiceError::new(ServiceErrorKind::Configuration, detail)
        })?;
        let (cluster, host, port, tls) = match self.server.clone() {
            Server::Cluster(cluster) => (Some(cluster), None, None, true),
            Server::Host { host, port, tls } => (None, Some(host), port, tls),
        };
        let mut info = RealtimeInfo::new(&self.key, channel.to_string(), "");
        info.event = event.map_or(EVENT, EventName::as_str).to_owned();
        info.changed_event = String::new();
        info.position_check_seconds = RETRY_SECONDS;
        (info.cluster, info.host, info.port) = (cluster, host, port);
        info.scheme = Some(if tls { "https" } else { "http" }.to_owned());
        Ok(info)
    }
}

fn private_channel(name: &str) -> Option<ChannelName> {
    ChannelName::new(name).ok().filter(|name| name.kind() == ChannelKind::Private)
}

fn wrong(variable: &str, problem: &str) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Configuration, format!("{variable} {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Channels>, ServiceError> {
        Channels::from_env(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn info(channels: &Channels) -> RealtimeInfo {
        channels.info(&UserId::new("ada").unwrap(), None).unwrap()
    }

    #[test]
    fn a_cluster_or_a_host_is_enough() {
        let key = (KEY, "k");
        assert_eq!(read(&[]), Ok(None));
        let cluster = read(&[key, (CLUSTER, "eu")]).unwrap().unwrap();
        assert_eq!(cluster, Channels::cluster("k", "eu"));
        let realtime = info(&cluster);
        assert_eq!((realtime.cluster.as_deref(), realtime.channel.as_str()), (Some("eu"), "private-ada"));
        let host = [
            key,
            (CLUSTER, "eu"),
            (HOST, "ws.example"),
            (PORT, "6001"),
            (SCHEME, "http"),
            (PREFIX, "private-in-"),
        ];
        let realtime = info(&read(&host).unwrap().unwrap());
        assert_eq!(
            (realtime.cluster, realtime.host.as_deref(), realtime.port),
            (None, Some("ws.example"), Some(6001))
        );
        assert_eq!((realtime.scheme.as_deref(), realtime.channel.as_str()), (Some("http"), "private-in-ada"));
    }

    #[test]
    fn the_error_of_a_wrong_value_names_the_variable() {
        let (key, host) = ((KEY, "k"), (HOST, "h"));
        for (variable, variables) in [
            (CLUSTER, vec![key]),
            (CLUSTER, vec![key, (CLUSTER, "eu.evil/")]),
            (HOST, vec![key, (HOST, "http://h")]),
            (KEY, vec![(KEY, "a b"), host]),
            (PORT, vec![key, host, (PORT, "0")]),
            (SCHEME, vec![key, host, (SCHEME, "wss")]),
            (PREFIX, vec![key, host, (PREFIX, "public-")]),
            (PREFIX, vec![key, host, (PREFIX, "private-encrypted-")]),
        ] {
            let error = read(&variables).unwrap_err();
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            assert!(error.to_string().starts_with(variable), "{error}");
        }
    }

    #[test]
    fn a_user_id_that_does_not_form_a_private_channel_is_rejected() {
        let channels = Channels::cluster("k", "eu").with_prefix("private-enc");
        assert!(channels.check().is_ok());
        let user = UserId::new("rypted-x").unwrap();
        assert_eq!(channels.info(&user, None).unwrap_err().kind(), ServiceErrorKind::Configuration);
    }
}
