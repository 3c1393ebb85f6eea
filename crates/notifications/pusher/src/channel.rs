use std::sync::Arc;

use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{Authorizer, ChannelName, Client, Subscription};

use crate::base_url::BaseUrl;
use crate::settings::Settings;

/// Connects to the user's channel, where the `info` says that it is; `base` is the inbox server's address, if there is one. Returns at once;
/// the subscription tells how it goes, and the connection lasts as long as it is held.
pub(crate) async fn subscribe(
    settings: &Settings,
    authorizer: Arc<dyn Authorizer>,
    base: Option<&BaseUrl>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Subscription, ServiceError> {
    let channel = ChannelName::new(&info.channel).map_err(unusable)?;
    let mut builder =
        Client::builder(&info.key).authorizer(authorizer).roots(settings.roots.clone()).seed(seed);
    if let Some(connector) = &settings.connector {
        builder = builder.connector(Arc::clone(connector));
    }
    let scheme_is_tls = info.scheme.as_deref() != Some("http");
    let mut path = info.path.trim_matches('/').to_owned();
    builder = match (&info.cluster, &info.host, base) {
        (Some(cluster), ..) => builder.cluster(cluster),
        (None, Some(host), _) => builder.host(host).tls(scheme_is_tls),
        (None, None, Some(base)) => {
            path = format!("{}/{path}", base.path());
            builder = builder.host(base.host()).tls(base.is_tls());
            match base.port() {
                Some(port) => builder.port(port),
                None => builder,
            }
        }
        (None, None, None) => builder,
    };
    if let (Some(_), Some(port)) = (&info.host, info.port) {
        builder = builder.port(port);
    }
    let client = builder.path_prefix(path.trim_matches('/')).connect().map_err(unusable)?;
    client.subscribe(channel).await.map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> ServiceError {
    let detail = format!("what is said of the live channel cannot be used: {error}");
    ServiceError::new(ServiceErrorKind::Protocol, detail)
}
