use std::sync::Arc;

use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::{
    Authorizer, ChannelEvent, ChannelName, Client, Subscription, User, UserAuthenticator, UserEvent,
};

use crate::base_url::BaseUrl;
use crate::settings::Settings;

/// The user's channel, and the sign-in of its connection, which lasts as long as this is held.
pub(crate) struct LiveChannel {
    client: Client,
    subscription: Subscription,
    sign_in: SignIn,
}

/// It comes after the channel, which matters more, and whose authorization may have brought a fresh token.
enum SignIn {
    /// Nobody signs, or it was refused.
    Off,
    /// Until the channel is subscribed to.
    Waiting,
    Wanted,
    Made(User),
}

impl LiveChannel {
    /// The next event of the channel; none once it has ended. May be dropped midway.
    pub(crate) async fn next(&mut self) -> Option<ChannelEvent> {
        loop {
            let sign_in = async {
                match &mut self.sign_in {
                    SignIn::Off | SignIn::Waiting => std::future::pending().await,
                    SignIn::Wanted => self.client.sign_in().await.map_or(SignIn::Off, SignIn::Made),
                    SignIn::Made(user) => ended(user).await,
                }
            };
            let event = tokio::select! {
                biased;
                event = self.subscription.next() => event,
                changed = sign_in => {
                    self.sign_in = changed;
                    continue;
                }
            };
            self.sign_in = match (&event, std::mem::replace(&mut self.sign_in, SignIn::Off)) {
                (_, SignIn::Off) => SignIn::Off,
                (Some(ChannelEvent::Subscribed), SignIn::Waiting) => SignIn::Wanted,
                (Some(ChannelEvent::Interrupted), _) => SignIn::Waiting,
                (_, sign_in) => sign_in,
            };
            return event;
        }
    }
}

/// Waits until the user is none any more.
async fn ended(user: &mut User) -> SignIn {
    while let Some(event) = user.next().await {
        if let UserEvent::Refused(error) = event {
            tracing::debug!(%error, "the connection is not signed in");
            break;
        }
    }
    SignIn::Off
}

/// Connects to the user's channel, where the `info` says that it is; `base` is the inbox server's address, if there is one. Returns at once;
/// the channel tells how it goes. The connection is signed in if there is an `authenticator`; if that fails, the channel is there all the
/// same.
pub(crate) async fn subscribe(
    settings: &Settings,
    authorizer: Arc<dyn Authorizer>,
    authenticator: Option<Arc<dyn UserAuthenticator>>,
    base: Option<&BaseUrl>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Box<LiveChannel>, ServiceError> {
    let channel = ChannelName::new(&info.channel).map_err(unusable)?;
    let mut builder =
        Client::builder(&info.key).authorizer(authorizer).roots(settings.roots.clone()).seed(seed);
    if let Some(connector) = &settings.connector {
        builder = builder.connector(Arc::clone(connector));
    }
    let signs_in = authenticator.is_some();
    if let Some(authenticator) = authenticator {
        builder = builder.user_authenticator(authenticator);
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
    let subscription = client.subscribe(channel).await.map_err(unusable)?;
    let sign_in = if signs_in { SignIn::Waiting } else { SignIn::Off };
    Ok(Box::new(LiveChannel { client, subscription, sign_in }))
}

fn unusable(error: impl std::fmt::Display) -> ServiceError {
    let detail = format!("what is said of the live channel cannot be used: {error}");
    ServiceError::new(ServiceErrorKind::Protocol, detail)
}
