use crate::config::ClientEndpoint;

/// Where clients reach the Channels engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAddress {
    /// Where they reach this server.
    SameServer,
    /// At a cluster of pusher.com.
    Cluster(String),
    /// At another host.
    Host(ClientEndpoint),
}
