use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use crate::{Error, connect_error};

/// Resolves a name, or parses an IP address without brackets. At least one address is returned.
pub(crate) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = lookup_host((host, port)).await.map(Iterator::collect::<Vec<_>>);
    let found = match found {
        Ok(addresses) if addresses.is_empty() => Err(io::Error::other("the name has no address")),
        found => found,
    };
    found.map_err(|error| connect_error::unresolved(host, error))
}

/// The resolver of HTTP clients: the same, so that a failure has the same kind.
#[cfg(feature = "http")]
pub(crate) struct HttpResolver;

#[cfg(feature = "http")]
impl reqwest::dns::Resolve for HttpResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let addresses = resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as reqwest::dns::Addrs)
        })
    }
}
