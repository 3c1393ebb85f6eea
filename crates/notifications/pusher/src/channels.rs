use internal_notifications_models::{EVENT, RealtimeInfo, UserId};
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::protocol::ChannelKind;
use pusher_client::{ChannelName, EventName};

/// Where a live-only service, one without an inbox server, finds its Channels app.
///
/// `PUSHER_APP_KEY`, `PUSHER_APP_CLUSTER`, `PUSHER_HOST`, `PUSHER_PORT`, `PUSHER_SCHEME`, `INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channels {
    key: String,
    server: At,
    prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Cluster(String),
    Host { host: String, port: Option<u16>, tls: bool },
}

const KEY: &str = "PUSHER_APP_KEY";
const CLUSTER: &str = "PUSHER_APP_CLUSTER";
const HOST: &str = "PUSHER_HOST";
const PORT: &str = "PUSHER_PORT";
const SCHEME: &str = "PUSHER_SCHEME";
const PREFIX: &str = "INTERNAL_NOTIFICATIONS_CHANNEL_PREFIX";
/// How long a refused channel is left alone.
const REFUSED_SECONDS: u64 = 60;
const DEFAULT_PREFIX: &str = "private-";

impl Channels {
    /// An app at a cluster of pusher.com: `eu`, `mt1`, …
    pub fn cluster(key: impl Into<String>, cluster: impl Into<String>) -> Self {
        Self::new(key.into(), At::Cluster(cluster.into()))
    }

    /// An app of another Channels server, at a name or an address. With TLS, at port 443, unless it is said otherwise.
    pub fn host(key: impl Into<String>, host: impl Into<String>) -> Self {
        Self::new(key.into(), At::Host { host: host.into(), port: None, tls: true })
    }

    fn new(key: String, server: At) -> Self {
        Self { key, server, prefix: DEFAULT_PREFIX.to_owned() }
    }

    /// The port of a host; a cluster has its own.
    pub fn with_port(mut self, number: u16) -> Self {
        if let At::Host { port, .. } = &mut self.server {
            *port = Some(number);
        }
        self
    }

    /// Whether to use TLS with a host; a cluster always does. Without TLS the port is 80 unless it is said otherwise.
    pub fn with_tls(mut self, with: bool) -> Self {
        if let At::Host { tls, .. } = &mut self.server {
            *tls = with;
        }
        self
    }

    /// What stands before the user's id in the name of the user's channel: `private-` by default, and always at its start.
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// What the environment says; none without `PUSHER_APP_KEY`. A host goes before a cluster.
    pub(crate) fn from_env(set: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ServiceError> {
        let Some(key) = set(KEY) else { return Ok(None) };
        let port = set(PORT).map(|text| match text.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(wrong(PORT, "must be a port, 1 to 65535")),
        });
        let tls = match set(SCHEME).as_deref() {
            None | Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(wrong(SCHEME, "may be https or http")),
        };
        let server = match (set(HOST), set(CLUSTER)) {
            (Some(host), _) => At::Host { host, port: port.transpose()?, tls },
            (None, Some(cluster)) => At::Cluster(cluster),
            (None, None) => {
                return Err(wrong(
                    CLUSTER,
                    "is not set; without INTERNAL_NOTIFICATIONS_URL it is a cluster of pusher.com, or else PUSHER_HOST a server",
                ));
            }
        };
        let channels = Self { key, server, prefix: set(PREFIX).unwrap_or_else(|| DEFAULT_PREFIX.to_owned()) };
        channels.check()?;
        Ok(Some(channels))
    }

    /// What can be told without a user.
    pub(crate) fn check(&self) -> Result<(), ServiceError> {
        let segment = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte))
        };
        let (name, at) = match &self.server {
            At::Cluster(cluster) => (CLUSTER, cluster),
            At::Host { host, .. } => (HOST, host),
        };
        if !segment(&self.key) {
            return Err(wrong(KEY, "must be the key of a Channels app"));
        }
        if !segment(at) {
            return Err(wrong(name, "must be a cluster's name, or a host's"));
        }
        if !self.prefix.starts_with("private-") || private(&format!("{}a", self.prefix)).is_none() {
            return Err(wrong(PREFIX, "must begin with private-, and make private channels"));
        }
        Ok(())
    }

    /// What an inbox server would say to a user of this app.
    pub(crate) fn info(
        &self,
        user_id: &UserId,
        event: Option<&EventName>,
    ) -> Result<RealtimeInfo, ServiceError> {
        let channel = private(&format!("{}{user_id}", self.prefix));
        let channel = channel.ok_or_else(|| {
            let detail = "this user's id makes no private channel with the channel prefix";
            ServiceError::new(ServiceErrorKind::Configuration, detail)
        })?;
        let (cluster, host, port, tls) = match self.server.clone() {
            At::Cluster(cluster) => (Some(cluster), None, None, true),
            At::Host { host, port, tls } => (None, Some(host), port, tls),
        };
        let mut info = RealtimeInfo::new(&self.key, channel.to_string(), "");
        info.event = event.map_or(EVENT, EventName::as_str).to_owned();
        info.changed_event = String::new();
        info.position_check_seconds = REFUSED_SECONDS;
        (info.cluster, info.host, info.port) = (cluster, host, port);
        info.scheme = Some(if tls { "https" } else { "http" }.to_owned());
        Ok(info)
    }
}

fn private(name: &str) -> Option<ChannelName> {
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
        let told = info(&cluster);
        assert_eq!((told.cluster.as_deref(), told.channel.as_str()), (Some("eu"), "private-ada"));
        let host = [
            key,
            (CLUSTER, "eu"),
            (HOST, "ws.example"),
            (PORT, "6001"),
            (SCHEME, "http"),
            (PREFIX, "private-in-"),
        ];
        let told = info(&read(&host).unwrap().unwrap());
        assert_eq!((told.cluster, told.host.as_deref(), told.port), (None, Some("ws.example"), Some(6001)));
        assert_eq!((told.scheme.as_deref(), told.channel.as_str()), (Some("http"), "private-in-ada"));
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
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
    fn a_user_whose_channel_would_be_of_another_kind_is_refused() {
        let channels = Channels::cluster("k", "eu").with_prefix("private-enc");
        assert!(channels.check().is_ok());
        let user = UserId::new("rypted-x").unwrap();
        assert_eq!(channels.info(&user, None).unwrap_err().kind(), ServiceErrorKind::Configuration);
    }
}
