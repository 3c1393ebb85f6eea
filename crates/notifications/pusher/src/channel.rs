use std::sync::Arc;

use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{Authorizer, ChannelName, Client, Subscription};

use crate::api::InboxApi;
use crate::authorizer::InboxAuthorizer;
use crate::settings::Settings;

/// Connects to the user's channel, as the server says where it is. Returns at once; the subscription tells how it goes, and the connection
/// lasts as long as it is held.
pub(crate) async fn subscribe(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Subscription, ServiceError> {
    let channel = ChannelName::new(&info.channel).map_err(unusable)?;
    let mut builder = Client::builder(&info.key)
        .authorizer(authorizer(settings, api, info)?)
        .roots(settings.roots.clone())
        .seed(seed);
    if let Some(connector) = &settings.connector {
        builder = builder.connector(Arc::clone(connector));
    }
    let scheme_is_tls = info.scheme.as_deref() != Some("http");
    let mut path = info.path.trim_matches('/').to_owned();
    builder = match (&info.cluster, &info.host) {
        (Some(cluster), _) => builder.cluster(cluster),
        (None, Some(host)) => builder.host(host).tls(scheme_is_tls),
        (None, None) => {
            let base = api.base();
            path = format!("{}/{path}", base.path());
            builder = builder.host(base.host()).tls(base.is_tls());
            match base.port() {
                Some(port) => builder.port(port),
                None => builder,
            }
        }
    };
    if let (Some(_), Some(port)) = (&info.host, info.port) {
        builder = builder.port(port);
    }
    let client = builder.path_prefix(path.trim_matches('/')).connect().map_err(unusable)?;
    client.subscribe(channel).await.map_err(unusable)
}

fn authorizer(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
) -> Result<Arc<dyn Authorizer>, ServiceError> {
    if let Some(authorizer) = &settings.authorizer {
        return Ok(Arc::clone(authorizer));
    }
    let url = match &settings.auth_endpoint {
        Some(url) => url.clone(),
        None => api.base().endpoint(&info.auth_endpoint)?,
    };
    Ok(Arc::new(InboxAuthorizer { api: Arc::clone(api), url }))
}

fn unusable(error: impl std::fmt::Display) -> ServiceError {
    let detail = format!("what the server says of its live channel cannot be used: {error}");
    ServiceError::new(ServiceErrorKind::Protocol, detail)
}
